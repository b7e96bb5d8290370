import type { ChargeAnswer, ChargeRequest } from '@tradepost/shared/contracts/payments';
import { AppError } from '@tradepost/shared/errors';
import { isTurnedBack, type Payment } from '../domain/payment.ts';
import type { PaymentTools } from './paymentTools.ts';
import { settleCharge } from './settleCharge.ts';

/**
 * Charges an order once. The payment is inserted before the provider is asked; a repeated call asks again under the same
 * key, or answers what was recorded.
 * @returns `captured` when this call did it
 * @throws AppError `payment_declined` with `reason`, `charge_refused` when the order's payment was turned back,
 * `idempotency_key_reused` for other parameters than the first time
 * @throws ProviderError when the outcome is unknown
 */
export async function chargePayment(
  tools: PaymentTools,
  request: ChargeRequest,
): Promise<{ captured: boolean; answer: ChargeAnswer }> {
  await tools.failpoint('payment.charge.beforeInsert');
  const payment = await insertOrClaim(tools, request);
  await tools.failpoint('payment.charge.afterInsert');
  if (payment.status !== 'void') requireSameCharge(payment, request);
  if (payment.status !== 'pending' || payment.cancelling) return { captured: false, answer: answerOf(payment) };
  const step = await settleCharge(tools, payment);
  return { captured: step.changed, answer: answerOf(step.payment) };
}

async function insertOrClaim(tools: PaymentTools, request: ChargeRequest): Promise<Payment> {
  const { orderId, userId, token } = request;
  const charge = { orderId, userId, ...request.amount, token, provider: tools.provider.name };
  for (;;) {
    const payment = (await tools.charges.insertPending(charge)) ?? (await tools.charges.claim(orderId));
    if (payment) return payment;
  }
}

function requireSameCharge(payment: Exclude<Payment, { status: 'void' }>, { userId, amount }: ChargeRequest): void {
  if (payment.userId === userId && payment.amount === amount.amount && payment.currency === amount.currency) return;
  throw new AppError('idempotency_key_reused', { detail: 'The order was charged with other parameters before' });
}

function answerOf(payment: Payment): ChargeAnswer {
  if (isTurnedBack(payment) || payment.status === 'void' || payment.status === 'pending') {
    throw new AppError('charge_refused');
  }
  const { paymentId, amount, currency } = payment;
  if (payment.status === 'declined') {
    throw new AppError('payment_declined', { members: { reason: payment.reason, paymentId } });
  }
  return { paymentId, amount: { amount, currency } };
}
