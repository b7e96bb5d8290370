import type { RefundAnswer, RefundRequest } from '@tradepost/shared/contracts/payments';
import { AppError } from '@tradepost/shared/errors';
import { type CapturedPayment, type RefundEntry, refundOf } from '../domain/payment.ts';
import type { PaymentTools } from './paymentTools.ts';
import { settleRefund } from './settleRefund.ts';

/**
 * Gives back a part or all of what is left of a payment, once per refund id.
 * @throws AppError `not_found` when the order has no payment, `refund_exceeds_capture` with `refundable` when there is
 * not so much left, `idempotency_key_reused` when the id was used with another amount
 * @throws ProviderError when the outcome is unknown; the refund is decided, and the sweeper goes on
 */
export async function refundPayment(tools: PaymentTools, request: RefundRequest): Promise<RefundAnswer> {
  const { payment, refund } = await decideRefund(tools, request);
  const { paymentId, currency, refunded } = await settleRefund(tools, payment, refund);
  return {
    paymentId,
    refundId: refund.id,
    amount: { amount: refund.amount, currency },
    refundedTotal: { amount: refunded, currency },
    ...(refund.reason === undefined ? {} : { reason: refund.reason }),
  };
}

async function decideRefund(
  tools: PaymentTools,
  { orderId, refundId, amount, reason }: RefundRequest,
): Promise<{ payment: CapturedPayment; refund: RefundEntry }> {
  const asked = { id: refundId, ...(reason === undefined ? {} : { reason }) };
  for (;;) {
    const payment = await tools.charges.claim(orderId);
    if (!payment) throw new AppError('not_found', { detail: 'The order has no payment' });
    if (payment.status !== 'captured') throw exceeds(0);
    const known = refundOf(payment, refundId);
    if (known) {
      if (amount === undefined || amount === known.amount) return { payment, refund: known };
      throw new AppError('idempotency_key_reused', { detail: 'The refund was made with another amount before' });
    }
    if (payment.left === 0 || (amount ?? 0) > payment.left) throw exceeds(payment.left);
    await tools.failpoint('payment.refund.beforeEntry');
    const decided =
      amount === undefined
        ? await tools.refunds.pushRest(payment, asked)
        : await tools.refunds.pushRefund(orderId, { ...asked, amount });
    await tools.failpoint('payment.refund.afterEntry');
    const refund = decided && refundOf(decided, refundId);
    if (refund) return { payment: decided, refund };
  }
}

const exceeds = (refundable: number): AppError => new AppError('refund_exceeds_capture', { members: { refundable } });
