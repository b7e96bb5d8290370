import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { isAppError } from '@tradepost/shared/errors';
import { type Bench, type BenchOptions, benchTest, inParallel, Killed, outcome } from '../payments.testing.ts';
import { ProviderError } from '../providers/provider.ts';
import { cancelForMessage } from './cancelPayment.ts';

/** A provider as Stripe is: what was asked cannot be taken back, only asked again. */
const withoutCancel: BenchOptions = {
  provider: ({ cancel: _, ...provider }) => provider,
};

async function assertNothingKept(bench: Bench, orderId: string): Promise<void> {
  await bench.settle();
  const [ours, books] = [await bench.ours(orderId), await bench.books(orderId)];
  assert.deepEqual(ours, books, 'both books agree');
  assert.equal(books.captured, books.refunded, 'nothing is kept');
  assert.notEqual((await bench.read(orderId))?.status, 'pending');
}

const isUnknown = (error: unknown) => error instanceof ProviderError;

describe('cancel', () => {
  benchTest('before any charge leaves a void payment, which refuses a late charge', async bench => {
    assert.deepEqual(await bench.cancel('o1'), {});
    assert.deepEqual(await bench.cancel('o1'), {}, 'again');
    assert.ok(isAppError(await outcome(bench.charge('o1')), 'charge_refused'));
    assert.equal((await bench.read('o1'))?.status, 'void');
    assert.deepEqual(await bench.books('o1'), { captured: 0, refunded: 0 });
    assert.deepEqual(await bench.messages('o1'), []);
  });

  benchTest('after the capture gives all of it back, once, under one id', async bench => {
    const { answer } = await bench.charge('o1');
    const cancelled = await bench.cancel('o1');
    assert.deepEqual(cancelled, {
      paymentId: answer.paymentId,
      refund: { refundId: 'cancel:o1', amount: { amount: 1_000, currency: 'GBP' } },
    });
    assert.deepEqual(await bench.cancel('o1'), cancelled, 'again');
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 1_000 });
    assert.deepEqual(await bench.messages('o1'), ['payment.captured', 'payment.refunded']);
    assert.ok(isAppError(await outcome(bench.charge('o1')), 'charge_refused'));
  });

  benchTest('killed after its decision, and never repeated: the sweeper gives the money back', async bench => {
    await bench.charge('o1');
    bench.points.kill('payment.cancel.afterMark');
    await assert.rejects(bench.cancel('o1'), Killed);
    await bench.settle();
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 1_000 });
    assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 1_000 });
  });

  benchTest('of a declined payment gives back nothing', async bench => {
    await outcome(bench.charge('o1', 'tok_declined'));
    assert.deepEqual(await bench.cancel('o1'), { paymentId: (await bench.read('o1'))?.paymentId });
  });

  benchTest('after a part was refunded gives back the rest; after all was, nothing', async bench => {
    await bench.charge('o1');
    await bench.refund('o1', 'r1', 300);
    assert.equal((await bench.cancel('o1')).refund?.amount.amount, 700);
    await bench.charge('o2');
    await bench.refund('o2', 'r2');
    assert.equal((await bench.cancel('o2')).refund, undefined);
    assert.deepEqual(await bench.books('o2'), { captured: 1_000, refunded: 1_000 });
  });

  benchTest('F: saga and safety net at once make one refund', async bench => {
    await bench.charge('o1');
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => bench.cancel('o1')),
      ...Array.from({ length: 5 }, () => cancelForMessage(bench.tools, 'o1')),
    ]);
    assert.ok(answers.slice(0, 5).every(answer => answer?.refund?.amount.amount === 1_000));
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 1_000 });
    assert.equal((await bench.captured('o1')).refunds.length, 1);
    assert.deepEqual(await bench.messages('o1'), ['payment.captured', 'payment.refunded']);
  });

  benchTest('F: the safety net comes while the saga has decided the refund and not asked for it', async bench => {
    await bench.charge('o1');
    const held = bench.points.hold('payment.refund.beforeProvider');
    const saga = bench.cancel('o1');
    await held.there;
    await cancelForMessage(bench.tools, 'o1');
    held.go();
    assert.equal((await saga).refund?.refundId, 'cancel:o1');
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 1_000 });
  });

  benchTest(
    'the message is not delivered again for an unknown outcome; the sweeper goes on',
    async bench => {
      await bench.charge('o1');
      bench.points.kill('provider.refund.beforeLedger');
      await cancelForMessage(bench.tools, 'o1');
      assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 0 });
      await assertNothingKept(bench, 'o1');
    },
    withoutCancel,
  );
});

for (const [kind, options] of [
  ['that can cancel', {}],
  ['that can only be asked again', withoutCancel],
] as [string, BenchOptions][]) {
  describe(`E: cancel of a pending payment, at a provider ${kind}`, () => {
    benchTest(
      'the charge is on its way and arrives after the cancel',
      async bench => {
        const late = bench.points.hold('provider.charge.beforeLedger');
        const charge = outcome(bench.charge('o1'));
        await late.there;
        const cancelled = await bench.cancel('o1');
        late.go();
        const answer = await charge;
        assert.ok(isAppError(answer, cancelled.refund ? 'charge_refused' : 'payment_declined'));
        await assertNothingKept(bench, 'o1');
      },
      options,
    );

    benchTest(
      'the provider has captured and its answer is lost',
      async bench => {
        bench.points.kill('provider.charge.afterLedger');
        await assert.rejects(bench.charge('o1'), isUnknown);
        const { refund } = await bench.cancel('o1');
        assert.equal(refund?.amount.amount, 1_000, 'not nothing: the money was taken');
        await assertNothingKept(bench, 'o1');
      },
      options,
    );

    benchTest(
      'the charge has its answer but has not recorded it',
      async bench => {
        const held = bench.points.hold('payment.charge.afterProvider');
        const charge = outcome(bench.charge('o1'));
        await held.there;
        assert.equal((await bench.cancel('o1')).refund?.amount.amount, 1_000);
        held.go();
        assert.ok(isAppError(await charge, 'charge_refused'));
        await assertNothingKept(bench, 'o1');
      },
      options,
    );

    benchTest(
      'who cancels dies after the mark: whoever records the capture decides the refund with it',
      async bench => {
        const held = bench.points.hold('payment.charge.afterProvider');
        const charge = outcome(bench.charge('o1'));
        await held.there;
        bench.points.kill('payment.cancel.afterMark');
        await assert.rejects(bench.cancel('o1'), Killed);
        held.go();
        assert.ok(isAppError(await charge, 'charge_refused'));
        assert.deepEqual(
          (await bench.captured('o1')).refunds.map(({ id, amount, state }) => ({ id, amount, state })),
          [{ id: 'cancel:o1', amount: 1_000, state: 'pending' }],
        );
        await assertNothingKept(bench, 'o1');
      },
      options,
    );

    benchTest(
      'the provider answers neither: the cancel claims nothing, and the sweeper brings it to its end',
      async bench => {
        bench.points.kill('provider.charge.afterLedger');
        await assert.rejects(bench.charge('o1'), isUnknown);
        bench.points.kill(options === withoutCancel ? 'provider.charge.beforeLedger' : 'provider.cancel.beforeLedger');
        await assert.rejects(bench.cancel('o1'), isUnknown);
        assert.equal((await bench.read('o1'))?.status, 'pending');
        assert.ok(isAppError(await outcome(bench.charge('o1')), 'charge_refused'), 'no charge after the mark');
        await assertNothingKept(bench, 'o1');
      },
      options,
    );

    benchTest(
      'server errors first',
      async bench => {
        await assert.rejects(bench.charge('o1', 'tok_flaky'), isUnknown);
        await outcome(bench.cancel('o1'));
        await assertNothingKept(bench, 'o1');
      },
      options,
    );

    benchTest(
      '100 races of cancel against charge',
      async bench => {
        const races = Array.from({ length: 100 }, (_, race) => ({ orderId: `race-${race}`, race }));
        await inParallel(5, races, async ({ orderId, race }) => {
          const token = ['tok_visa', 'tok_flaky', 'tok_declined', 'tok_visa'][race % 4];
          // Whoever starts later does so after none to two rounds to the store.
          const [charge, cancel] = race % 2 ? [race % 3, 0] : [0, race % 3];
          await Promise.all([
            outcome(pause(bench, charge).then(() => bench.charge(orderId, token))),
            outcome(pause(bench, cancel).then(() => bench.cancel(orderId))),
          ]);
        });
        await bench.settle();
        const ended = new Set<string>();
        for (const { orderId } of races) {
          await assertNothingKept(bench, orderId);
          ended.add((await bench.read(orderId))?.status ?? 'none');
        }
        assert.deepEqual([...ended].sort(), ['captured', 'declined', 'void']);
      },
      options,
    );
  });
}

async function pause(bench: Bench, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await bench.read('nothing');
}
