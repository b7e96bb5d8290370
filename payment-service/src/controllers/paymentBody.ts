import type { z } from 'zod';
import { publicStatus } from '../domain/payment.ts';
import type { payment as paymentSchema } from '../routes/paymentSchemas.ts';
import type { VisiblePayment } from '../services/readPayments.ts';

/** A payment as clients see it. */
export function paymentBody(payment: VisiblePayment): z.input<typeof paymentSchema> {
  const { currency } = payment;
  return {
    id: payment.paymentId,
    orderId: payment._id,
    amount: { amount: payment.amount, currency },
    refunded: { amount: payment.status === 'captured' ? payment.refunded : 0, currency },
    status: publicStatus(payment),
    provider: payment.provider,
    ...(payment.status === 'declined' ? { reason: payment.reason } : {}),
    createdAt: payment.createdAt.toISOString(),
    updatedAt: payment.updatedAt.toISOString(),
  };
}

/** A payment that the provider has left open, as the operator sees it. */
export function unresolvedBody(payment: VisiblePayment) {
  const refunds = payment.status === 'captured' ? payment.refunds : [];
  return {
    ...paymentBody(payment),
    openSince: (payment.openSince ?? payment.createdAt).toISOString(),
    cancelling: payment.cancelling,
    pendingRefunds: refunds
      .filter(refund => refund.state === 'pending')
      .map(({ id, amount }) => ({ refundId: id, amount })),
    attempts: payment.attempts,
    ...(payment.lastError === undefined ? {} : { lastError: payment.lastError }),
  };
}
