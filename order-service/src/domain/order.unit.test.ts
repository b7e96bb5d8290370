import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Command, decide, InvalidTransitionError, isTurnedBack, refundable } from './decide.ts';
import type { OrderEvent, RecordedEvent } from './events.ts';
import { evolve, fold, refunded } from './order.ts';
import { creationOutcome } from './outcome.ts';
import { cancelled, created, declined, histories, recorded, refund, reserved } from './testing.ts';

describe('fold', () => {
  it('is nothing for an empty stream', () => assert.equal(fold([]), undefined));

  it('adds up a good order', () => {
    const order = fold(recorded(...histories.confirmed));
    assert.equal(order?.status, 'confirmed');
    assert.equal(order?.version, 4);
    assert.deepEqual(order?.payment, { id: 'pay1', status: 'captured', captured: 1000, refunds: {} });
  });

  it('counts refunds until nothing is left', () => {
    const part = fold(recorded(...histories.confirmed, refund('a', 300)));
    assert.equal(part?.payment.status, 'partially_refunded');
    assert.equal(part && refundable(part), 700);
    const all = fold(recorded(...histories.confirmed, refund('a', 300), refund('b', 700)));
    assert.equal(all?.payment.status, 'refunded');
    assert.equal(all && refunded(all), 1000);
  });

  it('shows a refund without a recorded capture as refunded', () => {
    const order = fold(recorded(created, reserved, cancelled, refund('cancel:o1', 1000)));
    assert.equal(order?.status, 'cancelled');
    assert.equal(order?.payment.status, 'refunded');
    assert.equal(order?.payment.captured, 1000);
  });

  it('knows that nothing was paid for an order cancelled early', () => {
    assert.equal(fold(recorded(created, cancelled))?.payment.status, 'void');
    assert.equal(fold(recorded(created, reserved, declined, cancelled))?.payment.status, 'declined');
  });

  it('refuses a gap, a repetition and a stream that does not begin with OrderCreated', () => {
    const [first, second] = recorded(created, reserved) as [RecordedEvent, RecordedEvent];
    assert.throws(() => fold([first, { ...second, version: 3 }]), /version 3 follows 1/);
    assert.throws(() => fold([first, second, second]), /version 2 follows 2/);
    assert.throws(() => fold(recorded(reserved)), /before OrderCreated/);
    assert.throws(() => fold([first, { ...first, version: 2 }]), /created once/);
  });
});

describe('isTurnedBack', () => {
  const is = (...events: OrderEvent[]) => isTurnedBack(fold(recorded(...events)));
  const back = histories['cancelled after confirmation'];
  it('is an order that was cancelled before it was paid', () => assert.ok(is(created, cancelled)));
  it('is no order that stands, or has money of its customer', () => {
    for (const events of [[], histories.confirmed, back, [...back, refund('r1', 400)]]) assert.ok(!is(...events));
    assert.ok(!is(...histories.delivered, refund('r1', 1_000)));
  });
  it('is one whose money went back, in one part or several', () => {
    assert.ok(is(...back, refund('r1', 400), refund('r2', 600)));
  });
  it('is one that cost nothing', () => {
    const free = back.map(event =>
      event.type === 'PaymentCaptured' ? { ...event, data: { ...event.data, amount: 0 } } : event,
    );
    assert.ok(is(...free));
  });
});

describe('creationOutcome', () => {
  it('stays what it was at the first deciding event', () => {
    const outcome = creationOutcome(recorded(...histories['cancelled after confirmation'], refund('r', 1000)));
    assert.equal(outcome?.kind, 'confirmed');
    assert.equal(outcome?.kind === 'confirmed' && outcome.order.version, 4);
  });
  it('is pending until then', () => assert.equal(creationOutcome(recorded(created, reserved))?.kind, 'pending'));
  it('names the reason of a decline', () => {
    const stream = recorded(created, reserved, declined, {
      type: 'OrderCancelled',
      data: { cause: 'payment_declined', reason: 'card_declined' },
    });
    assert.deepEqual(creationOutcome(stream), {
      kind: 'refused',
      code: 'payment_declined',
      members: { reason: 'card_declined' },
    });
  });
});

describe('any sequence of commands', () => {
  const command: fc.Arbitrary<Command> = fc.oneof(
    fc.constant<Command>({ type: 'RecordReservation', holds: [{ productId: 'p1', holdId: 'h1' }] }),
    fc.constant<Command>({ type: 'RecordCapture', paymentId: 'pay1', amount: 1000 }),
    fc.constant<Command>({ type: 'RecordDecline', reason: 'card_declined' }),
    fc.constant<Command>({ type: 'Cancel', cause: 'requested', reason: 'no' }),
    fc.constant<Command>({ type: 'Ship', carrier: 'DHL', trackingNumber: '1' }),
    fc.constant<Command>({ type: 'Deliver' }),
    fc.record({
      type: fc.constant('RecordRefund' as const),
      paymentId: fc.constant('pay1'),
      refundId: fc.constantFrom('a', 'b'),
      amount: fc.integer({ min: 1, max: 500 }),
    }),
  );

  it('keeps the rules of an order', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), commands => {
        let stream = recorded(created);
        for (const one of commands) {
          const order = fold(stream)!;
          try {
            const events = decide(order, one);
            stream = [
              ...stream,
              ...events.map((event, index) => ({ ...event, version: order.version + index + 1, at: new Date() })),
            ];
          } catch (error) {
            assert.ok(error instanceof InvalidTransitionError);
          }
        }
        const types = stream.map(event => event.type);
        assert.deepEqual(
          stream.map(event => event.version),
          stream.map((_, index) => index + 1),
        );
        const end = types.indexOf('OrderCancelled');
        if (end >= 0)
          assert.ok(
            types.slice(end + 1).every(type => type === 'PaymentRefunded'),
            'only refunds follow a cancellation',
          );
        if (types.includes('OrderShipped'))
          assert.ok(!types.includes('OrderCancelled'), 'nothing shipped is cancelled');
        if (types.includes('OrderConfirmed'))
          assert.equal(types[types.indexOf('OrderConfirmed') - 1], 'PaymentCaptured');
        for (const type of [
          'StockReserved',
          'PaymentCaptured',
          'OrderConfirmed',
          'OrderCancelled',
          'OrderShipped',
          'OrderDelivered',
        ]) {
          assert.ok(types.filter(one => one === type).length <= 1, `${type} happens once`);
        }
        assert.deepEqual(stream.reduce(evolve, undefined as never), fold(stream));
      }),
      { numRuns: 2_000 },
    );
  });
});
