import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '@tradepost/shared/clock';
import { isAppError } from '@tradepost/shared/errors';
import Stripe from 'stripe';
import { startStripeStandIn } from '../stripeStandIn.testing.ts';
import { type ChargeOutcome, ProviderError } from './provider.ts';
import { createStripeProvider } from './stripe.ts';

const webhookSecret = 'whsec_0123456789abcdef';
const signal = new AbortController().signal;
const isUnknown = (error: unknown) => error instanceof ProviderError;

const standIn = await startStripeStandIn();
const provider = createStripeProvider({
  ...{ apiKey: 'sk_test_1', webhookSecret, apiBase: standIn.url, timeoutMs: 1_500, clock: systemClock },
});
const nextOrder = () => randomUUID();
const charge = (orderId: string, token = 'tok_visa', amount = 1_299) =>
  provider.charge({ orderId, token, amount, currency: 'GBP' }, signal);
const capturedId = (outcome: ChargeOutcome) => (outcome.status === 'captured' ? outcome.providerId : '');

test('charges by one confirmed PaymentIntent whose key is the order', async () => {
  const orderId = nextOrder();
  const outcome = await charge(orderId);
  assert.deepEqual(outcome, { status: 'captured', providerId: capturedId(outcome), amount: 1_299, currency: 'GBP' });
  const request = standIn.requests.at(-1);
  assert.equal(request?.key, orderId);
  assert.deepEqual(request?.params, {
    amount: '1299',
    currency: 'gbp',
    'allowed_payment_method_types[0]': 'card',
    capture_method: 'automatic',
    confirm: 'true',
    error_on_requires_action: 'true',
    'metadata[orderId]': orderId,
    'payment_method_data[type]': 'card',
    'payment_method_data[card][token]': 'tok_visa',
  });
});

test('takes a payment method as well as a token', async () => {
  await charge(nextOrder(), 'pm_card_visa');
  assert.equal(standIn.requests.at(-1)?.params.payment_method, 'pm_card_visa');
});

test('says why a card or token was declined', async () => {
  const declined = (reason: string) => ({ status: 'declined', reason });
  assert.deepEqual(await charge(nextOrder(), 'tok_chargeDeclined_declined'), declined('generic_decline'));
  assert.deepEqual(await charge(nextOrder(), 'tok_insufficient'), declined('insufficient_funds'));
  assert.deepEqual(await charge(nextOrder(), 'nonsense'), declined('invalid_token'));
});

test('again under the same key is the same charge; with other parameters its outcome is unknown', async () => {
  const orderId = nextOrder();
  assert.deepEqual(await charge(orderId), await charge(orderId));
  assert.deepEqual(standIn.books(orderId), { captured: 1_299, refunded: 0 });
  await assert.rejects(charge(orderId, 'tok_visa', 1), isUnknown);
  assert.deepEqual(standIn.books(orderId), { captured: 1_299, refunded: 0 });
});

for (const [name, fault] of [
  ['status 500', { status: 500 }],
  ['status 503', { status: 503, headers: { 'Retry-After': '1' } }],
  ['status 429', { status: 429 }],
  ['status 401', { status: 401 }],
  ['status 404', { status: 404 }],
  ['status 409', { status: 409 }],
  ['no answer', 'hang'],
] as const) {
  test(`${name}: unknown, and the next question is the first charge`, async () => {
    const orderId = nextOrder();
    standIn.spoil(fault);
    await assert.rejects(charge(orderId), isUnknown);
    assert.deepEqual(standIn.books(orderId), { captured: 0, refunded: 0 });
    await charge(orderId);
    assert.deepEqual(standIn.books(orderId), { captured: 1_299, refunded: 0 });
  });
}

for (const [name, fault] of [
  ['no answer', 'hangAfter'],
  ['half an answer', 'halfJsonAfter'],
] as const) {
  test(`captured, but ${name}: unknown, and asked again it is captured once`, async () => {
    const orderId = nextOrder();
    standIn.spoil(fault);
    await assert.rejects(charge(orderId), isUnknown);
    assert.equal((await charge(orderId)).status, 'captured');
    assert.deepEqual(standIn.books(orderId), { captured: 1_299, refunded: 0 });
  });
}

for (const fault of ['reset', 'resetAfter'] as const) {
  test(`${fault} twice (the library asks again once by itself): unknown, and asked again it is captured once`, async () => {
    const orderId = nextOrder();
    standIn.spoil(fault, fault);
    await assert.rejects(charge(orderId), isUnknown);
    assert.equal((await charge(orderId)).status, 'captured');
    assert.deepEqual(standIn.books(orderId), { captured: 1_299, refunded: 0 });
  });
}

test('captured, but a 500 is replayed for ever: found by its order', async () => {
  const orderId = nextOrder();
  standIn.spoil({ status: 500, after: true });
  await assert.rejects(charge(orderId), isUnknown);
  await assert.rejects(charge(orderId), isUnknown);
  const found = await provider.find({ orderId }, signal);
  assert.equal(found?.outcome?.status, 'captured');
  assert.equal(await provider.find({ orderId: 'never-seen' }, signal), undefined);
});

test('what is still being processed is no answer', async () => {
  const orderId = nextOrder();
  await assert.rejects(charge(orderId, 'tok_processing'), isUnknown);
  assert.equal((await provider.find({ orderId }, signal))?.outcome, undefined);
});

test('refunds under the refund’s own key, each once', async () => {
  const orderId = nextOrder();
  const providerId = capturedId(await charge(orderId));
  const refund = { id: `${orderId}-r1`, orderId, providerId, amount: 300, currency: 'GBP' };
  await provider.refund(refund, signal);
  assert.equal(standIn.requests.at(-1)?.key, refund.id);
  await provider.refund(refund, signal);
  assert.deepEqual(standIn.books(orderId), { captured: 1_299, refunded: 300 });
  assert.equal((await provider.find({ orderId, providerId }, signal))?.refunded, 300);
  assert.equal(await provider.findRefund(refund, signal), true);
  assert.equal(await provider.findRefund({ ...refund, id: 'r2' }, signal), false);
  await assert.rejects(provider.refund({ ...refund, id: `${orderId}-r3`, amount: 1_000 }, signal), isUnknown);
  standIn.spoil('hangAfter');
  const lost = { ...refund, id: `${orderId}-r4`, amount: 100 };
  await assert.rejects(provider.refund(lost, signal), isUnknown);
  await provider.refund(lost, signal);
  assert.deepEqual(standIn.books(orderId), { captured: 1_299, refunded: 400 });
});

test('its books are paged, newest first', async () => {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await provider.ledger({ limit: 3, ...(after === undefined ? {} : { after }) }, signal);
    seen.push(...page.items.map(entry => entry.orderId));
    if (page.next === null) break;
    after = page.next;
  }
  assert.equal(seen.length, standIn.intents.size);
  assert.equal(new Set(seen).size, seen.length);
});

test('events: signed ones are read, forged, changed, unsigned and old ones are not', async () => {
  const { webhooks } = new Stripe('sk_test_1');
  const payload = JSON.stringify({
    ...{ id: 'evt_1', object: 'event', type: 'payment_intent.succeeded' },
    data: {
      object: {
        ...{ id: 'pi_9', object: 'payment_intent', status: 'succeeded', amount_received: 5, currency: 'gbp' },
        metadata: { orderId: 'o9' },
      },
    },
  });
  const header = (options: { secret?: string; timestamp?: number } = {}) =>
    webhooks.generateTestHeaderString({ payload, secret: webhookSecret, ...options });
  assert.deepEqual(await provider.readEvent?.(Buffer.from(payload), header()), {
    ...{ id: 'evt_1', type: 'payment_intent.succeeded', orderId: 'o9' },
    charge: { status: 'captured', providerId: 'pi_9', amount: 5, currency: 'GBP' },
  });
  const old = Math.floor(Date.now() / 1_000) - 301;
  for (const [body, signature] of [
    [payload, header({ secret: 'whsec_other' })],
    [payload.replace('succeeded', 'succeedee'), header()],
    [payload, undefined],
    [payload, 'v1=abc'],
    [payload, header({ timestamp: old })],
  ] as const) {
    await assert.rejects(
      async () => provider.readEvent?.(Buffer.from(body), signature),
      error => isAppError(error, 'bad_signature'),
    );
  }
});
