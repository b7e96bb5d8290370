import { currentContext } from '@tradepost/shared/context';
import { paymentCaptured, paymentDeclined, paymentRefunded } from '@tradepost/shared/events/payments';
import { createMessage, type Message, type MessageDefinition } from '@tradepost/shared/messaging/message';
import type { CapturedPayment, PendingPayment, RefundEntry } from '../domain/payment.ts';

interface Stamp {
  id: string;
  at: Date;
}

function make<Data>(definition: MessageDefinition<Data>, subject: string, stamp: Stamp, data: Data): Message {
  const traceparent = currentContext()?.traceparent;
  return createMessage(definition, { ...stamp, source: 'payment-service', subject, traceparent, data });
}

const about = (payment: PendingPayment | CapturedPayment, amount: number) => ({
  paymentId: payment.paymentId,
  orderId: payment._id,
  amount: { amount, currency: payment.currency },
});

export function capturedMessage(payment: PendingPayment, stamp: Stamp): Message {
  return make(paymentCaptured, payment.paymentId, stamp, about(payment, payment.amount));
}

export function declinedMessage(payment: PendingPayment, reason: string, stamp: Stamp): Message {
  return make(paymentDeclined, payment.paymentId, stamp, { ...about(payment, payment.amount), reason });
}

/** @param refundedTotal minor units given back by then, this refund among them */
export function refundedMessage(
  payment: CapturedPayment,
  refund: RefundEntry,
  refundedTotal: number,
  stamp: Stamp,
): Message {
  return make(paymentRefunded, payment.paymentId, stamp, {
    ...about(payment, refund.amount),
    refundId: refund.id,
    refundedTotal: { amount: refundedTotal, currency: payment.currency },
    ...(refund.reason === undefined ? {} : { reason: refund.reason }),
  });
}
