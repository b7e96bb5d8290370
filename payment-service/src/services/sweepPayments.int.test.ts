import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { benchTest, createBench, Killed, outcome, testConnection } from '../payments.testing.ts';
import { ProviderError } from '../providers/provider.ts';
import { createReadPayments } from './readPayments.ts';
import { createSweeper } from './sweepPayments.ts';

const minute = 60_000;

describe('sweeper', () => {
  benchTest('asks for a charge whose caller was killed, though nobody knows the order any more', async bench => {
    bench.points.kill('payment.charge.afterInsert');
    await assert.rejects(bench.charge('o1'), Killed);
    assert.equal(await bench.sweep(), 0, 'its own worker has time first');
    bench.pass(1_001);
    assert.equal(await bench.sweep(), 1);
    assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 0 });
    bench.pass(minute);
    assert.equal(await bench.sweep(), 0, 'nothing is left to ask');
  });

  benchTest(
    'waits longer each time, and keeps the reason',
    async bench => {
      const asked: number[] = [];
      for (let second = 0; second < 60; second += 1) {
        if (second === 0) await outcome(bench.charge('o1', 'tok_visa'));
        bench.pass(1_000);
        if ((await bench.sweep()) > 0) asked.push(second);
      }
      const gaps = asked.slice(1).map((second, at) => second - (asked[at] ?? 0));
      assert.ok(gaps.length > 3, `${asked}`);
      assert.deepEqual(
        gaps,
        gaps.toSorted((a, b) => a - b),
        'never shorter',
      );
      assert.ok((gaps.at(-1) ?? 0) >= 7, 'up to the limit of ten seconds less jitter');
      const payment = await bench.read('o1');
      assert.match(payment?.lastError ?? '', /out of order/);
      assert.equal(payment?.attempts, asked.length);
    },
    {
      provider: simulated => ({
        ...simulated,
        charge: async () => {
          throw new ProviderError('failed', 'out of order');
        },
      }),
    },
  );

  benchTest('two at the same time ask about different payments', async bench => {
    for (let order = 0; order < 20; order += 1) {
      bench.points.kill('payment.charge.afterInsert');
      await assert.rejects(bench.charge(`o${order}`), Killed);
    }
    bench.pass(minute);
    const counts = await Promise.all([bench.sweep(), bench.sweep()]);
    assert.equal(counts[0] + counts[1], 20);
    for (let order = 0; order < 20; order += 1) assert.equal((await bench.ours(`o${order}`)).captured, 1_000);
  });

  benchTest(
    'one refund that is refused does not hold up another',
    async bench => {
      await bench.charge('o1');
      for (const id of ['bad', 'good']) {
        bench.points.kill('payment.refund.beforeProvider');
        await assert.rejects(bench.refund('o1', id, 100), Killed);
      }
      bench.pass(minute);
      await bench.sweep();
      const { refunds, openSince, lastError } = await bench.captured('o1');
      assert.deepEqual(
        refunds.map(refund => refund.state),
        ['pending', 'done'],
      );
      assert.ok(openSince);
      assert.match(lastError ?? '', /refused here/);
    },
    {
      provider: simulated => ({
        ...simulated,
        async refund(refund, signal) {
          if (refund.id === 'bad') throw new ProviderError('refused', 'refused here');
          await simulated.refund(refund, signal);
        },
      }),
    },
  );

  benchTest(
    'looks up what became of a charge and a refund that only give errors',
    async bench => {
      assert.ok((await outcome(bench.charge('o1'))) instanceof ProviderError);
      bench.pass(minute);
      await bench.sweep();
      assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 0 });
      assert.ok((await outcome(bench.refund('o1', 'r1', 400))) instanceof ProviderError);
      bench.pass(minute);
      await bench.sweep();
      assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 400 });
      assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 400 });
    },
    {
      provider: simulated => ({
        ...simulated,
        // As Stripe replays a 500 under the same key for ever, whatever has happened.
        async charge(charge, signal) {
          await simulated.charge(charge, signal);
          throw new ProviderError('failed', 'status 500');
        },
        async refund(refund, signal) {
          await simulated.refund(refund, signal);
          throw new ProviderError('failed', 'status 500');
        },
      }),
    },
  );

  test('a key that the provider may have forgotten is never used again', async context => {
    const connection = await testConnection(context);
    const asked: string[] = [];
    let down = true;
    const bench = await createBench(connection, {
      provider: ({ cancel: _, ...simulated }) => ({
        ...simulated,
        keyLifetimeMs: 24 * 60 * minute,
        async charge(charge, signal) {
          asked.push('charge');
          if (down) throw new ProviderError('failed', 'down');
          return simulated.charge(charge, signal);
        },
        async refund(refund, signal) {
          asked.push('refund');
          if (down) throw new ProviderError('failed', 'down');
          return simulated.refund(refund, signal);
        },
      }),
    });
    down = false;
    await bench.charge('paid');
    down = true;
    assert.ok((await outcome(bench.charge('o1'))) instanceof ProviderError);
    assert.ok((await outcome(bench.refund('paid', 'r1'))) instanceof ProviderError);
    bench.pass(24 * 60 * minute);
    down = false;
    asked.length = 0;
    assert.equal(await bench.sweep(), 2);
    bench.pass(minute);
    assert.ok((await outcome(bench.charge('o1'))) instanceof ProviderError);
    assert.ok((await outcome(bench.cancel('o1'))) instanceof ProviderError);
    assert.deepEqual(asked, []);
    assert.equal((await bench.read('o1'))?.status, 'pending', 'not found is no answer');
    // What the provider's books show is.
    await bench.simulated.charge(
      { orderId: 'o1', amount: 1_000, currency: 'GBP', token: 'tok_visa' },
      new AbortController().signal,
    );
    bench.pass(minute);
    await bench.sweep();
    assert.equal((await bench.captured('o1')).refunds.length, 1, 'captured for a cancelled order: goes back');
  });

  benchTest(
    'what stays open for 15 minutes is listed for the operator and counted',
    async bench => {
      for (const orderId of ['o1', 'o2', 'o3']) {
        assert.ok((await outcome(bench.charge(orderId))) instanceof ProviderError);
        bench.pass(minute);
      }
      const { openSince } = createReadPayments(bench.model);
      const unresolved = () => new Date(bench.tools.clock().getTime() - bench.sweepOptions.unresolvedAfterMs);
      assert.deepEqual((await openSince(unresolved(), { limit: 10 })).items, []);
      bench.pass(13 * minute);
      await bench.sweep();
      const first = await openSince(unresolved(), { limit: 1 });
      const second = await openSince(unresolved(), { limit: 1, cursor: first.nextCursor ?? '' });
      assert.deepEqual(
        [...first.items, ...second.items].map(payment => payment._id),
        ['o1', 'o2'],
      );
      assert.equal(second.nextCursor, null);
      assert.equal((await bench.tools.metrics.unresolved.get()).values[0]?.value, 2);
    },
    {
      provider: simulated => ({
        ...simulated,
        charge: async () => {
          throw new ProviderError('failed', 'out of order');
        },
      }),
    },
  );

  benchTest('goes on by itself, survives a failing store, and stops when told', async bench => {
    bench.points.kill('payment.charge.afterInsert');
    await assert.rejects(bench.charge('o1'), Killed);
    bench.pass(minute);
    bench.points.kill('payment.sweep.beforeTake');
    const sweeper = createSweeper(bench.tools, { ...bench.sweepOptions, everyMs: 5 });
    sweeper.start();
    while ((await bench.read('o1'))?.status !== 'captured') await new Promise(resolve => setTimeout(resolve, 5));
    await sweeper.stop();
    const { length } = bench.points.hits;
    await bench.read('o1');
    assert.equal(bench.points.hits.length, length);
  });
});
