import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '@tradepost/shared/clock';
import { seeded } from '@tradepost/shared/testing/seeded';
import { createBench, inParallel, outcome, testConnection } from '../payments.testing.ts';
import { createStripeProvider } from '../providers/stripe.ts';
import { type Fault, startStripeStandIn } from '../stripeStandIn.testing.ts';

const faults: readonly Fault[] = [
  ...(['none', 'none', 'none'] as const),
  ...([{ status: 500 }, { status: 503, headers: { 'Retry-After': '1' } }, { status: 429 }] as const),
  ...([
    { status: 500, after: true },
    { status: 503, after: true },
  ] as const),
  ...(['hang', 'hangAfter', 'halfJsonAfter', 'wrongAmount', 'reset', 'resetAfter'] as const),
];

describe('payments at Stripe, when half of all answers are broken', () => {
  test('300 orders: captured at most once, never kept when cancelled, both books agree', async context => {
    const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
    context.diagnostic(`seed ${seed}`);
    const random = seeded(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const standIn = await startStripeStandIn();
    const stripe = createStripeProvider({
      ...{ apiKey: 'sk_test_1', webhookSecret: 'whsec_x', apiBase: standIn.url, timeoutMs: 400, clock: systemClock },
    });
    const bench = await createBench(await testConnection(context), { provider: () => stripe, timeoutMs: 500 });
    standIn.spoil(...Array.from({ length: 600 }, () => pick(faults)));

    const orders = Array.from({ length: 300 }, (_, at) => ({
      ...{ orderId: `order-${at}`, token: pick(['tok_visa', 'tok_visa', 'tok_visa', 'tok_declined']) },
      ...{ refund: random() < 0.3, cancel: pick(['no', 'early', 'late'] as const) },
    }));
    const live = async ({ orderId, token, refund, cancel }: (typeof orders)[number]) => {
      const charge = outcome(bench.charge(orderId, token));
      if (cancel === 'early') await outcome(bench.cancel(orderId));
      await charge;
      if (refund) await outcome(bench.refund(orderId, `${orderId}-r`, 250));
      if (cancel === 'late') await outcome(bench.cancel(orderId));
    };
    await inParallel(5, orders, live);
    await bench.settle();

    for (const { orderId, cancel } of orders) {
      const books = standIn.books(orderId);
      assert.deepEqual(await bench.ours(orderId), books, `${orderId}: the books agree`);
      assert.ok(books.captured === 0 || books.captured === 1_000, `${orderId}: captured ${books.captured}`);
      if (cancel !== 'no') assert.equal(books.refunded, books.captured, `${orderId}: nothing is kept`);
      assert.ok(books.refunded <= books.captured);
    }
    const keys = standIn.requests.flatMap(({ method, key, params }) =>
      method === 'POST' && 'metadata[refundId]' in params === false ? [[key, params['metadata[orderId]']]] : [],
    );
    assert.ok(keys.length > orders.length, 'some were asked again');
    for (const [key, orderId] of keys) assert.equal(key, orderId, 'never under a new key');
  });
});
