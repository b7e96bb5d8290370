import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { isAppError } from '@tradepost/shared/errors';
import { benchTest, Killed, outcome } from '../payments.testing.ts';
import { ProviderError } from '../providers/provider.ts';

const isUnknown = (kind: ProviderError['kind']) => (error: unknown) =>
  error instanceof ProviderError && error.kind === kind;

describe('charge', () => {
  benchTest('captures, keeps the token no longer, and says so in a message', async bench => {
    const { captured, answer } = await bench.charge('o1');
    assert.equal(captured, true);
    assert.deepEqual(answer.amount, { amount: 1_000, currency: 'GBP' });
    const payment = await bench.captured('o1');
    assert.equal(answer.paymentId, payment.paymentId);
    assert.equal('token' in payment, false);
    assert.equal('dueAt' in payment, false);
    assert.deepEqual(await bench.messages('o1'), ['payment.captured']);
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 0 });
  });

  for (const [token, reason] of [
    ['tok_declined', 'card_declined'],
    ['tok_insufficient_funds', 'insufficient_funds'],
    ['4242424242424242', 'invalid_token'],
  ] as const) {
    benchTest(`declines ${token} with its reason, each time`, async bench => {
      for (let time = 0; time < 2; time += 1) {
        const error = await outcome(bench.charge('o1', token));
        assert.ok(isAppError(error, 'payment_declined'));
        assert.equal(error.extras.members?.reason, reason);
      }
      assert.deepEqual(await bench.messages('o1'), ['payment.declined']);
      assert.equal('token' in ((await bench.read('o1')) ?? {}), false);
    });
  }

  benchTest('asks again under the same key after server errors', async bench => {
    await assert.rejects(bench.charge('o1', 'tok_flaky'), isUnknown('failed'));
    const pending = await bench.read('o1');
    assert.equal(pending?.status, 'pending');
    assert.equal(pending.token, 'tok_flaky', 'kept to ask again');
    await assert.rejects(bench.charge('o1', 'tok_flaky'), isUnknown('failed'));
    const { captured, answer } = await bench.charge('o1', 'tok_flaky');
    assert.equal(captured, true);
    assert.equal(answer.paymentId, pending.paymentId);
  });

  benchTest(
    'a lost answer leaves it pending, and the next question hears of the one capture',
    async bench => {
      await assert.rejects(bench.charge('o1', 'tok_timeout'), isUnknown('late'));
      assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 0 });
      assert.deepEqual(await bench.ours('o1'), { captured: 0, refunded: 0 });
      await bench.charge('o1', 'tok_timeout');
      assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 0 });
    },
    { timeoutMs: 1_000 },
  );

  benchTest('again: the same answer, and the provider is not asked', async bench => {
    const first = await bench.charge('o1');
    bench.points.hits.length = 0;
    const again = await bench.charge('o1');
    assert.deepEqual(again, { captured: false, answer: first.answer });
    assert.ok(!bench.points.hits.includes('payment.charge.beforeProvider'));
  });

  benchTest('answers from what another wrote only after a write of its own', async bench => {
    await bench.charge('o1');
    const before = await bench.model.findById('o1').lean();
    await bench.charge('o1');
    const after = await bench.model.findById('o1').lean();
    assert.equal(after?.seen, (before?.seen ?? 0) + 1);
  });

  benchTest('other parameters for the same order are refused', async bench => {
    await bench.charge('o1', 'tok_visa', 1_000);
    const error = await outcome(bench.charge('o1', 'tok_visa', 1_001));
    assert.ok(isAppError(error, 'idempotency_key_reused'));
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 0 });
  });

  benchTest('the payment is there before the provider is asked', async bench => {
    bench.points.kill('payment.charge.beforeProvider');
    await assert.rejects(bench.charge('o1'), Killed);
    assert.equal((await bench.read('o1'))?.status, 'pending');
    assert.deepEqual(await bench.books('o1'), { captured: 0, refunded: 0 });
    await bench.settle();
    assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 0 });
  });

  benchTest('20 at a time: one payment, one capture, one message, one of them did it', async bench => {
    const results = await Promise.all(Array.from({ length: 20 }, () => bench.charge('o1')));
    assert.equal(results.filter(result => result.captured).length, 1);
    assert.equal(new Set(results.map(result => result.answer.paymentId)).size, 1);
    assert.deepEqual(await bench.messages('o1'), ['payment.captured']);
  });

  benchTest('nothing is charged twice though it dies after the provider has captured', async bench => {
    bench.points.kill('payment.charge.afterProvider');
    await assert.rejects(bench.charge('o1'), Killed);
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 0 });
    const { captured } = await bench.charge('o1');
    assert.equal(captured, true);
    assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 0 });
  });

  benchTest('an amount of nothing is captured, and cancelled without a refund', async bench => {
    await bench.charge('o1', 'tok_visa', 0);
    assert.deepEqual(await bench.cancel('o1'), { paymentId: (await bench.captured('o1')).paymentId });
    assert.ok(isAppError(await outcome(bench.charge('o1', 'tok_visa', 0)), 'charge_refused'));
  });
});

describe('a provider that answers wrongly', () => {
  benchTest(
    'captured another amount: not believed, kept open with the reason',
    async bench => {
      await assert.rejects(bench.charge('o1'), isUnknown('unclear'));
      bench.pass(20_000);
      await bench.sweep();
      const payment = await bench.read('o1');
      assert.equal(payment?.status, 'pending');
      assert.match(payment.lastError ?? '', /captured 999 GBP instead of 1000 GBP/);
    },
    {
      provider: simulated => ({
        ...simulated,
        charge: async () => ({ status: 'captured', providerId: 'x', amount: 999, currency: 'GBP' }),
      }),
    },
  );

  benchTest(
    'throws something else: unknown too',
    async bench => {
      await assert.rejects(bench.charge('o1'), isUnknown('failed'));
      assert.equal((await bench.read('o1'))?.status, 'pending');
    },
    {
      provider: simulated => ({
        ...simulated,
        charge: async () => {
          throw new TypeError('broken');
        },
      }),
    },
  );

  benchTest(
    'never answers, and ignores that nobody waits: bounded all the same',
    async bench => assert.rejects(bench.charge('o1'), isUnknown('late')),
    { timeoutMs: 50, provider: simulated => ({ ...simulated, charge: () => new Promise(() => {}) }) },
  );
});
