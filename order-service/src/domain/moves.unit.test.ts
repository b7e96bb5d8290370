import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Command, decide } from './decide.ts';
import type { OrderEvent } from './events.ts';
import { evolve, fold } from './order.ts';
import { created, declined, histories, recorded, refund, reserved } from './testing.ts';

const requested = { cause: 'requested', reason: 'changed my mind' } as const;
const commands = {
  reserve: { type: 'RecordReservation', holds: [{ productId: 'p1', holdId: 'h1' }] },
  capture: { type: 'RecordCapture', paymentId: 'pay1', amount: 1000 },
  decline: { type: 'RecordDecline', reason: 'card_declined' },
  cancel: { type: 'Cancel', ...requested },
  ship: { type: 'Ship', carrier: 'DHL', trackingNumber: '1' },
  'ship otherwise': { type: 'Ship', carrier: 'DHL', trackingNumber: '2' },
  deliver: { type: 'Deliver' },
  refund: { type: 'RecordRefund', paymentId: 'pay1', refundId: 'r1', amount: 400 },
} satisfies Record<string, Command>;

const states = {
  ...histories,
  declined: [
    created,
    reserved,
    declined,
    { type: 'OrderCancelled', data: { cause: 'payment_declined', reason: 'card_declined' } },
  ],
  'refunded in part': [...histories.confirmed, refund('r1', 400)],
  'cancelled and refunded': [...histories['cancelled after confirmation'], refund('r1', 400)],
} satisfies Record<string, OrderEvent[]>;

/** What a command leads to: the types of its events, nothing, or the state that an order like this cannot get into. */
type Outcome = readonly OrderEvent['type'][] | 'nothing' | `is ${string} cannot be ${string}` | 'is not reserved';

const after = (status: string) => ({
  reserve: `is ${status} cannot be reserved`,
  capture: `is ${status} cannot be confirmed`,
  decline: `is ${status} cannot be declined`,
  cancel: `is ${status} cannot be cancelled`,
  ship: `is ${status} cannot be shipped`,
  'ship otherwise': `is ${status} cannot be shipped`,
  deliver: `is ${status} cannot be delivered`,
});
type Row = Record<keyof typeof commands, Outcome>;
const refunded = ['PaymentRefunded'] as const;
const cancelled = ['OrderCancelled'] as const;
const shipped = ['OrderShipped'] as const;

const confirmed: Row = {
  ...(after('confirmed') as Row),
  reserve: 'nothing',
  capture: 'nothing',
  cancel: cancelled,
  ship: shipped,
  'ship otherwise': shipped,
  refund: refunded,
};
const turnedBack: Row = { ...(after('cancelled') as Row), cancel: 'nothing', refund: refunded };

const table: Record<keyof typeof states, Row> = {
  created: {
    ...(after('pending') as Row),
    ...{ reserve: ['StockReserved'], capture: 'is not reserved', decline: 'is not reserved' },
    ...{ cancel: cancelled, refund: refunded },
  },
  reserved: {
    ...(after('pending') as Row),
    ...{ reserve: 'nothing', capture: ['PaymentCaptured', 'OrderConfirmed'], cancel: cancelled, refund: refunded },
    decline: ['PaymentDeclined', 'OrderCancelled'],
  },
  confirmed,
  'refunded in part': { ...confirmed, refund: 'nothing' },
  shipped: {
    ...(after('shipped') as Row),
    ...{ reserve: 'nothing', ship: 'nothing', deliver: ['OrderDelivered'], refund: refunded },
  },
  delivered: { ...(after('delivered') as Row), reserve: 'nothing', deliver: 'nothing', refund: refunded },
  cancelled: turnedBack,
  declined: { ...turnedBack, reserve: 'nothing', decline: 'nothing' },
  'cancelled after confirmation': { ...turnedBack, reserve: 'nothing' },
  'cancelled and refunded': { ...turnedBack, reserve: 'nothing', refund: 'nothing' },
};

describe('every command in every state', () => {
  for (const [state, events] of Object.entries(states) as [keyof typeof states, OrderEvent[]][]) {
    for (const [name, command] of Object.entries(commands) as [keyof typeof commands, Command][]) {
      const expected = table[state][name];
      test(`${name} when it is ${state}: ${expected}`, () => {
        const order = fold(recorded(...events));
        assert.ok(order);
        if (typeof expected === 'string' && expected !== 'nothing') {
          const message =
            expected === 'is not reserved'
              ? 'An order is charged only after its stock is reserved'
              : `An order that ${expected}`;
          assert.throws(() => decide(order, command), { name: 'InvalidTransitionError', message });
          return;
        }
        const decided = decide(order, command);
        assert.deepEqual(
          decided.map(event => event.type),
          expected === 'nothing' ? [] : expected,
        );
        const next = recorded(...events, ...decided).slice(events.length);
        assert.equal(next.reduce(evolve, order).version, events.length + decided.length);
        assert.deepEqual(decide(next.reduce(evolve, order), command), [], 'once is enough');
      });
    }
  }
});
