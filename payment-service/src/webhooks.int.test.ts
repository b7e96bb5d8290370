import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { startTestService } from '@tradepost/local/testing';
import { ConfigError, loadConfig } from '@tradepost/shared/config';
import Stripe from 'stripe';
import { createApp } from './app.ts';
import { settings } from './config.ts';
import { createPoints } from './payments.testing.ts';
import { startStripeStandIn } from './stripeStandIn.testing.ts';

const secret = 'whsec_0123456789abcdef';

const points = createPoints();
const standIn = await startStripeStandIn();
const config = loadConfig(settings, {
  ...{ PAYMENT_PROVIDER: 'stripe', STRIPE_API_KEY: 'sk_test_1', STRIPE_WEBHOOK_SECRET: secret },
  // The sweeper stays away, so that what happens is the webhooks' doing.
  ...{ STRIPE_API_BASE: standIn.url, PROVIDER_TIMEOUT_MS: '14000', PAYMENT_SWEEP_MS: '60000' },
});
const service = await startTestService('payment-service', dependencies =>
  createApp(dependencies, { ...config, failpoint: name => points.failpoint(name) }),
);
after(() => service.close());
const { webhooks } = new Stripe('sk_test_1');
const user = randomUUID();

const internal = (path: string, body?: unknown) =>
  service.send('POST', path, { token: service.serviceToken(), ...(body === undefined ? {} : { body }) });
const charge = (orderId: string, token = 'tok_visa') =>
  internal('/internal/charges', { orderId, userId: user, token, amount: { amount: 1_299, currency: 'GBP' } });
const deliver = (payload: string, headers: Record<string, string> = {}, path = '/api/payments/webhooks/stripe') => {
  const signature = webhooks.generateTestHeaderString({ payload, secret });
  return service.send('POST', path, { body: payload, headers: { 'Stripe-Signature': signature, ...headers } });
};
const event = (type: string, object: object, id = `evt_${randomUUID()}`) =>
  JSON.stringify({ id, object: 'event', type, data: { object } });
const succeeded = (orderId: string, amount = 1_299) => ({
  ...{ id: 'pi_x', object: 'payment_intent', status: 'succeeded', amount_received: amount, currency: 'gbp' },
  metadata: { orderId },
});
const statusOf = async (orderId: string) => {
  const path = `/api/payments?orderId=${orderId}`;
  const { body } = await service.send('GET', path, { token: service.token({ id: user }) });
  return body.items[0]?.status;
};
const contradictions = async () => {
  const metric = await service.registry.getSingleMetric('payment_contradictions_total')?.get();
  return metric?.values[0]?.value ?? 0;
};
const row = (orderId: string) => service.connection.models.Payment?.findById(orderId).lean<{ outbox: unknown[] }>();

test('charge, refund and cancel', async () => {
  const orderId = randomUUID();
  assert.equal((await charge(orderId)).status, 201);
  const refund = { orderId, refundId: `${orderId}-1`, amount: 99 };
  assert.equal((await internal('/internal/refunds', refund)).status, 200);
  const { body } = await internal(`/internal/charges/${orderId}/cancel`);
  assert.equal(body.refund.amount.amount, 1_200);
  assert.deepEqual(standIn.books(orderId), { captured: 1_299, refunded: 1_299 });
});

test('an event resolves a charge whose answer was lost; duplicates and late ones change nothing', async () => {
  const orderId = randomUUID();
  standIn.spoil({ status: 500, after: true });
  assert.equal((await charge(orderId)).status, 503);
  assert.equal(await statusOf(orderId), 'pending');
  const payload = event('payment_intent.succeeded', succeeded(orderId));
  const answers = await Promise.all(Array.from({ length: 5 }, () => deliver(payload)));
  assert.deepEqual(
    answers.map(answer => [answer.status, answer.body]),
    answers.map(() => [200, { received: true }]),
  );
  assert.equal(await statusOf(orderId), 'captured');
  // The message of the capture goes out on its own, sooner or later.
  const steps = () => points.hits.filter(name => !name.startsWith('payment.publish.'));
  const { length } = steps();
  assert.equal((await deliver(payload)).status, 200);
  assert.deepEqual(steps().slice(length), [], 'handled once');
  const late = event('payment_intent.payment_failed', {
    ...succeeded(orderId),
    ...{ status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } },
  });
  const before = await contradictions();
  assert.equal((await deliver(late)).status, 200);
  assert.equal(await statusOf(orderId), 'captured');
  assert.equal(await contradictions(), before + 1, 'counted, not dropped');
});

test('a failed event declines; of a cancelled order a captured one goes back', async () => {
  const [declined, cancelled] = [randomUUID(), randomUUID()];
  for (const orderId of [declined, cancelled]) {
    standIn.spoil({ status: 500, after: true });
    assert.equal((await charge(orderId)).status, 503);
  }
  const failed = {
    ...succeeded(declined),
    ...{ status: 'requires_payment_method', last_payment_error: { decline_code: 'lost_card' } },
  };
  await deliver(event('payment_intent.payment_failed', failed));
  assert.equal(await statusOf(declined), 'declined');
  assert.equal((await internal(`/internal/charges/${cancelled}/cancel`)).status, 503);
  const intent = [...standIn.intents.values()].find(one => one.metadata.orderId === cancelled);
  await deliver(event('payment_intent.succeeded', { ...succeeded(cancelled), id: intent?.id }));
  const { body } = await internal(`/internal/charges/${cancelled}/cancel`);
  assert.equal(body.refund.amount.amount, 1_299);
  assert.deepEqual(standIn.books(cancelled), { captured: 1_299, refunded: 1_299 });
});

test('killed between the effect and the row that remembers it: the effect is repeated and changes nothing', async () => {
  const orderId = randomUUID();
  standIn.spoil({ status: 500, after: true });
  await charge(orderId);
  const payload = event('payment_intent.succeeded', succeeded(orderId));
  points.kill('payment.webhook.afterEffect');
  assert.equal((await deliver(payload)).status, 500);
  assert.equal(await statusOf(orderId), 'captured');
  const before = await row(orderId);
  assert.equal((await deliver(payload)).status, 200);
  const after = await row(orderId);
  assert.ok((after?.outbox.length ?? 0) <= (before?.outbox.length ?? 0), 'no second message');
});

test('another amount than was asked is not believed', async () => {
  const orderId = randomUUID();
  standIn.spoil({ status: 500, after: true });
  await charge(orderId);
  const answer = await deliver(event('payment_intent.succeeded', succeeded(orderId, 1)));
  assert.equal(answer.status, 503, 'to be sent again');
  assert.equal(await statusOf(orderId), 'pending');
});

test('a refund event completes a refund whose answer was lost; a failed one is counted', async () => {
  const orderId = randomUUID();
  await charge(orderId);
  standIn.spoil({ status: 500, after: true });
  const refund = { orderId, refundId: `${orderId}-1`, amount: 99 };
  assert.equal((await internal('/internal/refunds', refund)).status, 503);
  const object = { id: 're_1', object: 'refund', metadata: { orderId, refundId: refund.refundId }, amount: 99 };
  await deliver(event('refund.updated', { ...object, status: 'succeeded' }));
  assert.equal(await statusOf(orderId), 'partially_refunded');
  const before = await contradictions();
  await deliver(event('refund.failed', { ...object, status: 'failed' }));
  assert.equal(await contradictions(), before + 1);
});

test('events about others and of other kinds are taken and change nothing', async () => {
  for (const payload of [
    event('payment_intent.succeeded', succeeded(randomUUID())),
    event('payment_intent.succeeded', { ...succeeded('x'), metadata: {} }),
    event('customer.created', { id: 'cus_1', metadata: {} }),
  ]) {
    assert.equal((await deliver(payload)).status, 200);
  }
});

test('refused: bad, missing and foreign signatures, other types, too large, unknown providers', async () => {
  const payload = event('payment_intent.succeeded', succeeded(randomUUID()));
  const refused = async (answer: Promise<{ status: number; body: { code: string } }>) => {
    const { status, body } = await answer;
    return `${status} ${body.code}`;
  };
  assert.equal(await refused(deliver(payload, { 'Stripe-Signature': 't=1,v1=00' })), '401 bad_signature');
  assert.equal(await refused(deliver(payload, { 'Stripe-Signature': '' })), '401 bad_signature');
  const forged = webhooks.generateTestHeaderString({ payload, secret: 'whsec_other' });
  assert.equal(await refused(deliver(payload, { 'Stripe-Signature': forged })), '401 bad_signature');
  assert.equal(await refused(deliver(payload, { 'Content-Type': 'text/plain' })), '415 unsupported_media_type');
  assert.equal(await refused(deliver('x'.repeat(300_000))), '413 payload_too_large');
  assert.equal(await refused(deliver(payload, {}, '/api/payments/webhooks/simulated')), '404 not_found');
  assert.equal(await refused(deliver(payload, {}, '/api/payments/webhooks/paypal')), '404 not_found');
});

test('without its settings it does not start, and says which are missing', () => {
  const bare = loadConfig(settings, { PAYMENT_PROVIDER: 'stripe' });
  assert.throws(
    () => createApp({ connection: service.connection } as never, bare),
    (error: Error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /STRIPE_API_KEY.*\nSTRIPE_WEBHOOK_SECRET/);
      return true;
    },
  );
});
