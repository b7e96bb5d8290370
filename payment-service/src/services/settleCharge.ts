import type { Payment, PendingPayment } from '../domain/payment.ts';
import { type ChargeOutcome, ProviderError } from '../providers/provider.ts';
import type { Step } from './paymentSteps.ts';
import type { PaymentTools } from './paymentTools.ts';

/**
 * Asks the provider about a pending charge, under the order's key, and records its answer.
 * @throws ProviderError when it gives none: the payment stays pending
 */
export async function settleCharge(tools: PaymentTools, payment: PendingPayment): Promise<Step> {
  await tools.failpoint('payment.charge.beforeProvider');
  const outcome = await tools.ask.charge(payment);
  await tools.failpoint('payment.charge.afterProvider');
  return recordOutcome(tools, payment, outcome);
}

/**
 * Records what the provider has answered, once.
 * @throws ProviderError `unclear` when it captured something else than it was asked to
 */
export async function recordOutcome(
  tools: PaymentTools,
  payment: PendingPayment,
  outcome: ChargeOutcome,
): Promise<Step<Payment>> {
  if (outcome.status === 'captured' && !isWhatWasAsked(payment, outcome)) {
    const { amount, currency } = outcome;
    throw new ProviderError(
      'unclear',
      `The provider captured ${amount} ${currency} instead of ${payment.amount} ${payment.currency}`,
    );
  }
  const step =
    outcome.status === 'captured'
      ? await tools.charges.recordCaptured(payment, outcome.providerId)
      : await tools.charges.recordDeclined(payment, outcome.reason);
  if (step.changed) {
    tools.metrics.results.inc({ result: outcome.status });
    tools.wakeRelay();
  }
  await tools.failpoint('payment.charge.afterRecord');
  return step;
}

const isWhatWasAsked = (payment: PendingPayment, captured: { amount: number; currency: string }): boolean =>
  captured.amount === payment.amount && captured.currency === payment.currency;
