import { describe, it } from 'node:test';
import { type Command, InvalidTransitionError } from './decide.ts';
import {
  cancelled,
  captured,
  confirmed,
  created,
  declined,
  delivered,
  given,
  histories,
  refund,
  reserved,
  shipped,
} from './testing.ts';

const cancel: Command = { type: 'Cancel', cause: 'requested', reason: 'changed my mind' };
const ship: Command = { type: 'Ship', carrier: 'DHL', trackingNumber: '1' };
const capture: Command = { type: 'RecordCapture', paymentId: 'pay1', amount: 1000 };
const reserve: Command = { type: 'RecordReservation', holds: [{ productId: 'p1', holdId: 'h1' }] };
const giveBack: Command = { type: 'RecordRefund', paymentId: 'pay1', refundId: 'r1', amount: 400 };

describe('decide', () => {
  it('records a reservation of a new order', () => given(created).when(reserve).leadsTo(reserved));
  it('records a reservation once', () => given(created, reserved).when(reserve).leadsToNothing());
  it('confirms with the capture in one commit', () =>
    given(created, reserved).when(capture).leadsTo(captured, confirmed));
  it('records a capture once', () =>
    given(...histories.confirmed)
      .when(capture)
      .leadsToNothing());
  it('never captures without a reservation', () => given(created).when(capture).throws(InvalidTransitionError));
  it('cancels with the decline in one commit', () =>
    given(created, reserved)
      .when({ type: 'RecordDecline', reason: 'card_declined' })
      .leadsTo(declined, { type: 'OrderCancelled', data: { cause: 'payment_declined', reason: 'card_declined' } }));
  it('keeps the shortages of a cancellation', () => {
    const shortages = [{ productId: 'p1', requested: 2, available: 1 }];
    const data = { cause: 'insufficient_stock', reason: 'insufficient_stock', shortages } as const;
    given(created)
      .when({ type: 'Cancel', ...data })
      .leadsTo({ type: 'OrderCancelled', data });
  });
  for (const state of ['created', 'reserved', 'confirmed'] as const) {
    it(`cancels an order that is ${state}`, () =>
      given(...histories[state])
        .when(cancel)
        .leadsTo(cancelled));
  }
  for (const state of ['shipped', 'delivered'] as const) {
    it(`does not cancel an order that is ${state}`, () =>
      given(...histories[state])
        .when(cancel)
        .throws(InvalidTransitionError));
  }
  it('cancels once', () => given(created, cancelled).when(cancel).leadsToNothing());
  it('ships a confirmed order', () =>
    given(...histories.confirmed)
      .when(ship)
      .leadsTo(shipped));
  it('ships once', () =>
    given(...histories.shipped)
      .when(ship)
      .leadsToNothing());
  it('refuses another shipment', () =>
    given(...histories.shipped)
      .when({ ...ship, trackingNumber: '2' })
      .throws(InvalidTransitionError));
  it('delivers a shipped order', () =>
    given(...histories.shipped)
      .when({ type: 'Deliver' })
      .leadsTo(delivered));
  it('delivers once', () =>
    given(...histories.delivered)
      .when({ type: 'Deliver' })
      .leadsToNothing());
  it('records each refund once by its id', () => {
    given(...histories.delivered)
      .when(giveBack)
      .leadsTo(refund('r1', 400));
    given(...histories.delivered, refund('r1', 400))
      .when(giveBack)
      .leadsToNothing();
  });
  it('records a refund even after the cancellation', () =>
    given(...histories['cancelled after confirmation'])
      .when(giveBack)
      .leadsTo(refund('r1', 400)));

  const forward: Command[] = [reserve, capture, { type: 'RecordDecline', reason: 'x' }, ship, { type: 'Deliver' }];
  for (const command of forward) {
    it(`does not follow a cancellation with ${command.type}`, () =>
      given(created, cancelled).when(command).throws(InvalidTransitionError));
  }
});
