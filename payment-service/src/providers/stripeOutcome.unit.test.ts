import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type Stripe from 'stripe';
import { declineOf, eventOf, outcomeOf, unknownOutcome } from './stripeOutcome.ts';

const intent = (fields: object) =>
  ({ id: 'pi_1', currency: 'gbp', amount_received: 0, metadata: {}, last_payment_error: null, ...fields }) as never;

describe('what a PaymentIntent says', () => {
  for (const [name, fields, expected] of [
    ['succeeded', { status: 'succeeded', amount_received: 7 }, 'captured'],
    ['succeeded without an amount', { status: 'succeeded', amount_received: undefined }, undefined],
    ['canceled', { status: 'canceled', cancellation_reason: 'fraudulent' }, 'declined'],
    ['made, not yet confirmed', { status: 'requires_payment_method' }, undefined],
    ['refused', { status: 'requires_payment_method', last_payment_error: { code: 'expired_card' } }, 'declined'],
    ['processing', { status: 'processing' }, undefined],
    ['a status of tomorrow', { status: 'teleported' }, undefined],
  ] as const) {
    test(`${name}: ${expected ?? 'nothing yet'}`, () => assert.equal(outcomeOf(intent(fields))?.status, expected));
  }
});

describe('what a failure says', () => {
  const failure = (fields: object) => Object.assign(new Error('x'), fields);
  for (const [fields, reason] of [
    [{ type: 'StripeCardError', statusCode: 402, code: 'card_declined', decline_code: 'lost_card' }, 'lost_card'],
    [{ type: 'StripeCardError', statusCode: 402, code: 'incorrect_cvc' }, 'incorrect_cvc'],
    [{ type: 'StripeInvalidRequestError', statusCode: 400, code: 'resource_missing' }, 'invalid_token'],
    [{ type: 'StripeInvalidRequestError', statusCode: 400, code: 'amount_too_small' }, 'amount_too_small'],
    [{ type: 'StripeInvalidRequestError', statusCode: 400 }, 'invalid_request'],
  ] as const) {
    test(`declined: ${reason}`, () => assert.deepEqual(declineOf(failure(fields)), { status: 'declined', reason }));
  }
  for (const type of [
    'StripeAPIError',
    'StripeConnectionError',
    'StripeRateLimitError',
    'StripeAuthenticationError',
    'StripePermissionError',
    'StripeIdempotencyError',
  ]) {
    test(`${type} decides nothing`, () => assert.equal(declineOf(failure({ type, statusCode: 400 })), undefined));
  }
  test('a wrong path decides nothing', () =>
    assert.equal(declineOf(failure({ type: 'StripeInvalidRequestError', statusCode: 404 })), undefined));
  test('what is not known stays unknown, with what was said', () => {
    assert.match(unknownOutcome(failure({ type: 'StripeAPIError', statusCode: 500 })).message, /StripeAPIError.*500/);
    assert.equal(unknownOutcome(failure({ type: 'StripeIdempotencyError' })).kind, 'refused');
    assert.equal(unknownOutcome(undefined).kind, 'failed');
  });
});

describe('what an event says', () => {
  const event = (type: string, object: object) =>
    eventOf({ id: 'evt', type, data: { object } } as never as Stripe.Event);
  const refund = { object: 'refund', amount: 5, metadata: { orderId: 'o1', refundId: 'r1' } };
  test('of a charge', () => {
    const succeeded = {
      ...(intent({ status: 'succeeded', amount_received: 7 }) as object),
      metadata: { orderId: 'o1' },
    };
    assert.equal(event('payment_intent.succeeded', succeeded).charge?.status, 'captured');
    assert.deepEqual(event('payment_intent.succeeded', intent({ status: 'succeeded' })).charge, undefined);
  });
  test('of a refund', () => {
    assert.deepEqual(event('refund.updated', { ...refund, status: 'succeeded' }).refund, { id: 'r1', state: 'done' });
    assert.deepEqual(event('refund.failed', { ...refund, status: 'failed' }).refund, { id: 'r1', state: 'failed' });
    assert.equal(event('refund.updated', { ...refund, status: 'pending' }).refund, undefined);
    assert.equal(event('refund.updated', { ...refund, status: 'succeeded', metadata: {} }).refund, undefined);
  });
  test('of something else', () => {
    assert.deepEqual(event('customer.created', { metadata: { orderId: 'o1' } }), {
      id: 'evt',
      type: 'customer.created',
    });
  });
});
