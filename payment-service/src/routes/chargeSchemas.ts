import {
  auditedPayments,
  auditPaymentsRequest,
  cancelAnswer,
  chargeAnswer,
  chargeRequest,
  refundAnswer,
  refundRequest,
} from '@tradepost/shared/contracts/payments';
import { operation } from '@tradepost/shared/http/route';
import { id, pageQuery } from '@tradepost/shared/http/schemas';
import { z } from 'zod';

const tag = 'Internal';
/** As long as any caller's own deadline; the provider's timeout ends a call before. */
const deadlineMs = 15_000;

export const charge = operation({
  id: 'chargePayment',
  summary: 'Charge an order, once',
  tag,
  body: chargeRequest,
  answers: {
    201: { description: 'Captured by this call', body: chargeAnswer },
    200: { description: 'It was captured already', body: chargeAnswer },
  },
  errors: ['payment_declined', 'charge_refused', 'idempotency_key_reused', 'service_unavailable', 'upstream_timeout'],
  deadlineMs,
});

export const cancelCharge = operation({
  id: 'cancelPayment',
  summary: 'Turn back the payment of a cancelled order',
  tag,
  params: z.strictObject({ orderId: id }),
  answers: { 200: { description: 'What became of the money, as the provider has answered it', body: cancelAnswer } },
  errors: ['service_unavailable', 'upstream_timeout'],
  deadlineMs,
});

export const refund = operation({
  id: 'refundPayment',
  summary: 'Give money back, once per refund id',
  tag,
  body: refundRequest,
  answers: { 200: { description: 'The provider has given it back', body: refundAnswer } },
  errors: ['not_found', 'refund_exceeds_capture', 'idempotency_key_reused', 'service_unavailable', 'upstream_timeout'],
  deadlineMs,
});

export const auditPayments = operation({
  id: 'auditPayments',
  summary: "Compare our payments with the provider's books",
  tag,
  query: z.strictObject(pageQuery),
  answers: { 200: { description: 'A page of our payments, by order id', body: auditedPayments } },
  errors: ['invalid_cursor', 'service_unavailable', 'upstream_timeout'],
  deadlineMs,
});

export const auditProvider = operation({
  id: 'auditProvider',
  summary: "Compare the provider's books with our payments",
  tag,
  query: z.strictObject(pageQuery),
  answers: { 200: { description: "A page of the provider's books, in its order", body: auditedPayments } },
  errors: ['invalid_cursor', 'service_unavailable', 'upstream_timeout'],
  deadlineMs,
});

export const auditOrders = operation({
  id: 'auditOrderPayments',
  summary: "Compare our payments of some orders with the provider's books",
  tag,
  body: auditPaymentsRequest,
  answers: { 200: { description: 'The payments that there are', body: auditedPayments } },
  errors: ['service_unavailable', 'upstream_timeout'],
  deadlineMs,
});
