import { z } from 'zod';
import { id } from '../http/schemas.ts';
import { amount, money, receivedMoney } from '../money.ts';

/** `POST /internal/charges` */
export const chargeRequest = z.strictObject({
  orderId: id,
  userId: id,
  amount: money,
  /** The provider's one-time token for the means of payment; never a card number. */
  token: z.string().min(1).max(256),
});
export type ChargeRequest = z.infer<typeof chargeRequest>;

/** 201 when captured by this call, 200 when it was captured already; 402 `payment_declined` with `reason`. */
export const chargeAnswer = z.object({ paymentId: z.string(), amount: receivedMoney });
export type ChargeAnswer = z.infer<typeof chargeAnswer>;

/** `POST /internal/charges/:orderId/cancel`: what became of the order's money, as the provider has answered it. */
export const cancelAnswer = z.object({
  /** Undefined when nothing was ever charged. */
  paymentId: z.string().optional(),
  /** What this cancel gave back: refund id `cancel:<orderId>`. */
  refund: z.object({ refundId: z.string(), amount: receivedMoney }).optional(),
});
export type CancelAnswer = z.infer<typeof cancelAnswer>;

/**
 * `POST /internal/refunds`: `amount` in minor units, all that is left when absent. Idempotent by `refundId`, which is the
 * provider's idempotency key too: no two refunds of the shop may share one, and `cancel:` belongs to cancels.
 */
export const refundRequest = z.strictObject({
  orderId: id,
  amount: amount.min(1).optional(),
  refundId: z
    .string()
    .min(1)
    .max(200)
    .regex(/^(?!cancel:)/, 'must not begin with cancel:'),
  /** Why, in the words of whoever gives the money back. */
  reason: z.string().min(1).max(500).optional(),
});
export type RefundRequest = z.infer<typeof refundRequest>;

export const refundAnswer = z.object({
  paymentId: z.string(),
  refundId: z.string(),
  amount: receivedMoney,
  refundedTotal: receivedMoney,
  /** The reason that the refund was first asked for with. */
  reason: z.string().optional(),
});
export type RefundAnswer = z.infer<typeof refundAnswer>;

/** What one side's books say of an order, in minor units. */
const books = z.object({ captured: amount, refunded: amount });

/** One order in `GET /internal/audit/payments` (ours, with the provider's side) and `GET /internal/audit/provider` (its). */
export const auditedPayment = z.object({
  orderId: z.string(),
  paymentId: z.string().nullable(),
  /** `none` when only the provider knows the order. */
  status: z.enum(['pending', 'captured', 'declined', 'void', 'none']),
  currency: z.string().nullable(),
  ours: books,
  provider: books,
  agrees: z.boolean(),
  /** Since when the provider has owed an answer; until then the sides may differ. */
  openSince: z.string().nullable(),
});
export type AuditedPayment = z.infer<typeof auditedPayment>;

/** `GET /internal/audit/payments`, `GET /internal/audit/provider`, and `POST /internal/audit/orders` without a cursor. */
export const auditedPayments = z.object({ items: z.array(auditedPayment), nextCursor: z.string().nullable() });

/** `POST /internal/audit/orders` of payment-service. */
export const auditPaymentsRequest = z.strictObject({ orderIds: z.array(id).min(1).max(100) });
