import type { CancelAnswer } from '@tradepost/shared/contracts/payments';
import { cancelRefundId, type Payment, refundOf } from '../domain/payment.ts';
import { ProviderError } from '../providers/provider.ts';
import type { PaymentTools } from './paymentTools.ts';
import { settleCharge } from './settleCharge.ts';
import { settleRefund } from './settleRefund.ts';

/**
 * Turns the payment of a cancelled order back, whatever it is by now: nothing charged yet → never; not known → made
 * known; captured → what is left is refunded, under one id for everybody who cancels. Can be repeated.
 * @returns what the provider has answered, never what is merely hoped for
 * @throws ProviderError when it has not; the mark stays, and the sweeper goes on
 */
export async function cancelPayment(tools: PaymentTools, orderId: string): Promise<CancelAnswer> {
  await tools.failpoint('payment.cancel.beforeMark');
  const decided = await decideCancel(tools, orderId);
  await tools.failpoint('payment.cancel.afterMark');
  if (decided.status === 'void') return {};
  const payment = decided.status === 'pending' ? (await settleCharge(tools, decided)).payment : decided;
  const refund = payment.status === 'captured' ? refundOf(payment, cancelRefundId(orderId)) : undefined;
  if (payment.status !== 'captured' || !refund) return { paymentId: payment.paymentId };
  const { paymentId, currency } = await settleRefund(tools, payment, refund);
  return { paymentId, refund: { refundId: refund.id, amount: { amount: refund.amount, currency } } };
}

/**
 * The same for the message that the order was cancelled. Once the payment is marked, an unknown outcome is the sweeper's
 * and no reason to deliver the message again.
 */
export async function cancelForMessage(tools: PaymentTools, orderId: string): Promise<void> {
  await tools.failpoint('payment.orderCancelled.beforeEffect');
  try {
    await cancelPayment(tools, orderId);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    tools.logger.warn({ err: error, orderId }, 'the payment provider has not answered yet');
  }
  await tools.failpoint('payment.orderCancelled.afterEffect');
}

/**
 * Marks the payment as cancelled and, if it is captured, decides the refund of what is left by the same update: whoever
 * is killed now or later leaves nothing undecided.
 */
async function decideCancel(tools: PaymentTools, orderId: string): Promise<Payment> {
  const id = cancelRefundId(orderId);
  for (;;) {
    const payment = await tools.charges.claim(orderId);
    if (!payment) {
      const made = await tools.charges.insertVoid(orderId);
      if (!made) continue;
      tools.metrics.results.inc({ result: 'void' });
      return made;
    }
    const keeps = payment.status === 'captured' && payment.left > 0 && !refundOf(payment, id);
    const decided = keeps ? await tools.refunds.pushCancel(payment, id) : await tools.charges.markCancelling(payment);
    if (decided) return decided;
  }
}
