import type { Versioned } from '@tradepost/shared/schemaVersions';
import { z } from 'zod';

/**
 * What can happen to an order. These events are private to this service: other services hear the messages that
 * `events/publishers.ts` makes of some of them. They never hold personal data; the user id is a pseudonym.
 */

const orderLine = z.object({
  productId: z.string(),
  sku: z.string(),
  name: z.string(),
  quantity: z.int(),
  /** Minor units, copied from the catalogue when the order was placed. */
  unitPrice: z.int(),
});
export type OrderLine = z.infer<typeof orderLine>;

const hold = z.object({ productId: z.string(), holdId: z.string() });
export type Hold = z.infer<typeof hold>;

const shortage = z.object({ productId: z.string(), requested: z.int(), available: z.int() });
export type Shortage = z.infer<typeof shortage>;

/** Why an order was turned back: the saga met a definite no, or a person asked. */
const cancelCause = z.enum(['insufficient_stock', 'hold_gone', 'payment_declined', 'requested']);
export type CancelCause = z.infer<typeof cancelCause>;

/** A type of event, as releases before, of now and to come write and read it. */
export interface EventKind extends Versioned {
  /** Of a type that the release before does not know: instances read it already, and nobody appends it before the release after. */
  isAnnounced?: true;
}

/**
 * The shape of each event, and those that it had before. Events stay as they were written, and streams are written by
 * instances of two releases during an upgrade; decision 9 says how a shape is changed.
 */
export const orderEvents = {
  OrderCreated: {
    version: 1,
    data: z.object({ userId: z.string(), lines: z.array(orderLine), currency: z.string(), total: z.int() }),
  },
  StockReserved: { version: 1, data: z.object({ holds: z.array(hold) }) },
  PaymentCaptured: { version: 1, data: z.object({ paymentId: z.string(), amount: z.int() }) },
  PaymentDeclined: { version: 1, data: z.object({ reason: z.string() }) },
  OrderConfirmed: { version: 1, data: z.object({}) },
  OrderCancelled: {
    version: 1,
    data: z.object({ cause: cancelCause, reason: z.string(), shortages: z.array(shortage).optional() }),
  },
  OrderShipped: { version: 1, data: z.object({ carrier: z.string(), trackingNumber: z.string() }) },
  OrderDelivered: { version: 1, data: z.object({}) },
  PaymentRefunded: {
    version: 1,
    data: z.object({
      paymentId: z.string(),
      refundId: z.string(),
      amount: z.int(),
      reason: z.string().optional(),
    }),
  },
} satisfies Record<string, EventKind>;

export type OrderEventType = keyof typeof orderEvents;

export type OrderEvent = {
  [Type in OrderEventType]: { type: Type; data: z.infer<(typeof orderEvents)[Type]['data']> };
}[OrderEventType];

/** An event at its place in the stream: versions of one order are 1, 2, 3 … without a gap. */
export type RecordedEvent = OrderEvent & { version: number; at: Date };
