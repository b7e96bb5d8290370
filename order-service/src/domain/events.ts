/**
 * What can happen to an order. These events are private to this service: other services hear the messages that
 * `events/publishers.ts` makes of some of them. They never hold personal data; the user id is a pseudonym.
 */

export interface OrderLine {
  productId: string;
  sku: string;
  name: string;
  quantity: number;
  /** Minor units, copied from the catalogue when the order was placed. */
  unitPrice: number;
}

export interface Hold {
  productId: string;
  holdId: string;
}

export interface Shortage {
  productId: string;
  requested: number;
  available: number;
}

/** Why an order was turned back: the saga met a definite no, or a person asked. */
export type CancelCause = 'insufficient_stock' | 'hold_gone' | 'payment_declined' | 'requested';

export type OrderEvent =
  | { type: 'OrderCreated'; data: { userId: string; lines: OrderLine[]; currency: string; total: number } }
  | { type: 'StockReserved'; data: { holds: Hold[] } }
  | { type: 'PaymentCaptured'; data: { paymentId: string; amount: number } }
  | { type: 'PaymentDeclined'; data: { reason: string } }
  | { type: 'OrderConfirmed'; data: Record<string, never> }
  | { type: 'OrderCancelled'; data: { cause: CancelCause; reason: string; shortages?: Shortage[] } }
  | { type: 'OrderShipped'; data: { carrier: string; trackingNumber: string } }
  | { type: 'OrderDelivered'; data: Record<string, never> }
  | { type: 'PaymentRefunded'; data: { paymentId: string; refundId: string; amount: number; reason?: string } };

export type OrderEventType = OrderEvent['type'];

/** An event at its place in the stream: versions of one order are 1, 2, 3 … without a gap. */
export type RecordedEvent = OrderEvent & { version: number; at: Date };
