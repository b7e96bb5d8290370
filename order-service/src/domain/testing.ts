import assert from 'node:assert/strict';
import { type Command, decide } from './decide.ts';
import type { OrderEvent, RecordedEvent } from './events.ts';
import { fold } from './order.ts';

/** Events with versions 1, 2, 3 … and one second between them. */
export const recorded = (...events: OrderEvent[]): RecordedEvent[] =>
  events.map((event, index) => ({ ...event, version: index + 1, at: new Date(Date.UTC(2026, 0, 1, 0, 0, index)) }));

/** given(events).when(command).then(events) or .thenNothing() or .thenThrows(error). */
export const given = (...events: OrderEvent[]) => ({
  when(command: Command) {
    const order = fold(recorded(...events));
    if (!order) throw new Error('given needs an order');
    const decision = () => decide(order, command);
    return {
      leadsTo: (...expected: OrderEvent[]) => assert.deepEqual(decision(), expected),
      leadsToNothing: () => assert.deepEqual(decision(), []),
      throws: (error: new (message: string) => Error) => assert.throws(decision, error),
    };
  },
});

export const created: OrderEvent = {
  type: 'OrderCreated',
  data: {
    userId: 'u1',
    lines: [{ productId: 'p1', sku: 'MUG', name: 'Mug', quantity: 2, unitPrice: 500 }],
    currency: 'GBP',
    total: 1000,
  },
};
export const reserved: OrderEvent = { type: 'StockReserved', data: { holds: [{ productId: 'p1', holdId: 'h1' }] } };
export const captured: OrderEvent = { type: 'PaymentCaptured', data: { paymentId: 'pay1', amount: 1000 } };
export const confirmed: OrderEvent = { type: 'OrderConfirmed', data: {} };
export const declined: OrderEvent = { type: 'PaymentDeclined', data: { reason: 'card_declined' } };
export const cancelled: OrderEvent = {
  type: 'OrderCancelled',
  data: { cause: 'requested', reason: 'changed my mind' },
};
export const shipped: OrderEvent = { type: 'OrderShipped', data: { carrier: 'DHL', trackingNumber: '1' } };
export const delivered: OrderEvent = { type: 'OrderDelivered', data: {} };
export const refund = (refundId: string, amount: number): OrderEvent => ({
  type: 'PaymentRefunded',
  data: { paymentId: 'pay1', refundId, amount },
});
/** Every way an order can stand, as the events that lead there. */
export const histories = {
  created: [created],
  reserved: [created, reserved],
  confirmed: [created, reserved, captured, confirmed],
  shipped: [created, reserved, captured, confirmed, shipped],
  delivered: [created, reserved, captured, confirmed, shipped, delivered],
  cancelled: [created, cancelled],
  'cancelled after confirmation': [created, reserved, captured, confirmed, cancelled],
} satisfies Record<string, OrderEvent[]>;
