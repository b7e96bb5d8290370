import type { CapturedPayment, RefundEntry } from '../domain/payment.ts';
import type { PaymentTools } from './paymentTools.ts';

/**
 * Asks the provider for a refund that was decided, under the refund's id, and records that it is done.
 * @throws ProviderError when it does not answer: the refund stays pending
 */
export async function settleRefund(
  tools: PaymentTools,
  payment: CapturedPayment,
  refund: RefundEntry,
): Promise<CapturedPayment> {
  if (refund.state === 'done') return payment;
  await tools.failpoint('payment.refund.beforeProvider');
  await tools.ask.refund(payment, refund);
  await tools.failpoint('payment.refund.afterProvider');
  return recordRefunded(tools, payment, refund.id);
}

/** Records, once, that the provider has given a refund. */
export async function recordRefunded(
  tools: PaymentTools,
  payment: CapturedPayment,
  refundId: string,
): Promise<CapturedPayment> {
  const step = await tools.refunds.finishRefund(payment, refundId);
  if (step.changed) {
    tools.metrics.results.inc({ result: 'refunded' });
    tools.wakeRelay();
  }
  await tools.failpoint('payment.refund.afterRecord');
  return step.payment;
}
