import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { isAppError } from '@tradepost/shared/errors';
import { type PaymentFailpoint, paymentFailpoints } from '../domain/failpoints.ts';
import { type Bench, type BenchOptions, benchTest, Killed } from '../payments.testing.ts';
import { ProviderError } from '../providers/provider.ts';
import { cancelForMessage } from './cancelPayment.ts';

/** Repeats a call as its caller does, until it is answered. */
async function untilAnswered(work: () => Promise<unknown>): Promise<void> {
  for (let time = 0; ; time += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (isAppError(error)) return;
      if (!(error instanceof Killed || error instanceof ProviderError) || time > 5) throw error;
    }
  }
}

/** An order that is charged, refunded in part and cancelled, or cancelled while its charge runs. */
async function live(bench: Bench, orderId: string, cancelled: 'later' | 'meanwhile' | 'unheard'): Promise<void> {
  const charge = () => bench.charge(orderId);
  const cancel = () => bench.cancel(orderId);
  const message = () => cancelForMessage(bench.tools, orderId);
  if (cancelled === 'later') {
    await untilAnswered(charge);
    await untilAnswered(() => bench.refund(orderId, `${orderId}-r`, 300));
    await Promise.all([untilAnswered(cancel), untilAnswered(message)]);
  } else if (cancelled === 'meanwhile') {
    await Promise.all([untilAnswered(charge), untilAnswered(cancel), untilAnswered(message)]);
  } else {
    // The charge gets a server error, and nobody repeats anything but the message.
    await bench.charge(orderId, 'tok_flaky').catch(() => {});
    await untilAnswered(message);
  }
  bench.pass(20_000);
  await untilAnswered(bench.sweep);
}

const points = paymentFailpoints.filter(name => !/webhook|publish/.test(name));
const kinds: [string, BenchOptions, RegExp][] = [
  ['that can cancel', {}, /^$/],
  [
    'that can only be asked again',
    { provider: ({ cancel: _, ...provider }) => provider },
    // Never reached there.
    /^provider\.cancel/,
  ],
];

describe('killed at each named point, at its first and second hit', () => {
  for (const [kind, options, unreached] of kinds) {
    benchTest(
      `money and books are right in the end, at a provider ${kind}`,
      async bench => {
        const met = new Set<PaymentFailpoint>();
        const orders: string[] = [];
        for (const point of points) {
          for (const hit of [1, 2]) {
            for (const cancelled of ['later', 'meanwhile', 'unheard'] as const) {
              const orderId = `${point}-${hit}-${cancelled}`;
              bench.points.kill(point, hit);
              await live(bench, orderId, cancelled);
              if (!bench.points.clear()) met.add(point);
              orders.push(orderId);
            }
          }
        }
        await bench.settle();
        for (const orderId of orders) {
          const [ours, books] = [await bench.ours(orderId), await bench.books(orderId)];
          assert.deepEqual(ours, books, `${orderId}: the books agree`);
          assert.equal(books.captured, books.refunded, `${orderId}: nothing is kept`);
          const told = await bench.messages(orderId);
          assert.equal(told.filter(type => type === 'payment.captured').length, books.captured ? 1 : 0, orderId);
          const payment = await bench.read(orderId);
          const refunds = payment?.status === 'captured' ? payment.refunds.length : 0;
          assert.equal(told.filter(type => type === 'payment.refunded').length, refunds, orderId);
        }
        assert.deepEqual(
          points.filter(point => !met.has(point) && !unreached.test(point)),
          [],
          'every point was met',
        );
      },
      options,
    );
  }
});
