import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { isAppError } from '@tradepost/shared/errors';
import { benchTest, inParallel, Killed, outcome } from '../payments.testing.ts';
import { ProviderError } from '../providers/provider.ts';

describe('refund', () => {
  benchTest('of a part, and then of all that is left', async bench => {
    const { answer } = await bench.charge('o1');
    assert.deepEqual(await bench.refund('o1', 'r1', 250), {
      paymentId: answer.paymentId,
      refundId: 'r1',
      amount: { amount: 250, currency: 'GBP' },
      refundedTotal: { amount: 250, currency: 'GBP' },
    });
    const rest = await bench.refund('o1', 'r2');
    assert.deepEqual([rest.amount.amount, rest.refundedTotal.amount], [750, 1_000]);
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 1_000 });
    assert.deepEqual(await bench.messages('o1'), ['payment.captured', 'payment.refunded', 'payment.refunded']);
    assert.equal('dueAt' in (await bench.captured('o1')), false);
  });

  benchTest('again under the same id gives the same answer, and no more money', async bench => {
    await bench.charge('o1');
    const first = await bench.refund('o1', 'r1', 250);
    assert.deepEqual(await bench.refund('o1', 'r1', 250), first);
    assert.deepEqual(await bench.refund('o1', 'r1'), first, 'an amount that is not named is the one decided');
    assert.ok(isAppError(await outcome(bench.refund('o1', 'r1', 251)), 'idempotency_key_reused'));
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 250 });
  });

  benchTest('keeps the reason that it was first asked for with, and tells it', async bench => {
    const because = (reason: string, amount?: number) => bench.refund('o1', amount ? 'r1' : 'r2', amount, reason);
    await bench.charge('o1');
    assert.equal((await because('scratched', 250)).reason, 'scratched');
    assert.equal((await because('dented', 250)).reason, 'scratched');
    bench.points.kill('payment.refund.beforeProvider');
    await assert.rejects(because('lost'), Killed);
    await bench.settle();
    const { refunds } = await bench.captured('o1');
    assert.deepEqual(
      refunds.map(({ id, reason }) => [id, reason]),
      [
        ['r1', 'scratched'],
        ['r2', 'lost'],
      ],
    );
    const row = await bench.model.findById('o1').lean();
    assert.deepEqual(
      row?.outbox.slice(1).map(({ data }) => (data as { reason?: string }).reason),
      ['scratched', 'lost'],
    );
  });

  benchTest('of more than is left is refused with what is left', async bench => {
    await bench.charge('o1');
    await bench.refund('o1', 'r1', 900);
    const error = await outcome(bench.refund('o1', 'r2', 101));
    assert.ok(isAppError(error, 'refund_exceeds_capture'));
    assert.deepEqual(error.extras.members, { refundable: 100 });
    await bench.refund('o1', 'r3', 100);
    assert.ok(isAppError(await outcome(bench.refund('o1', 'r4')), 'refund_exceeds_capture'));
  });

  benchTest('of what was never captured is refused', async bench => {
    assert.ok(isAppError(await outcome(bench.refund('o1', 'r1')), 'not_found'));
    await bench.cancel('o2');
    assert.ok(isAppError(await outcome(bench.refund('o2', 'r1')), 'refund_exceeds_capture'));
    await outcome(bench.charge('o3', 'tok_declined'));
    assert.ok(isAppError(await outcome(bench.refund('o3', 'r1')), 'refund_exceeds_capture'));
  });

  benchTest('O: decided, given by the provider, killed: asked again under the same id', async bench => {
    await bench.charge('o1');
    bench.points.kill('payment.refund.afterProvider');
    await assert.rejects(bench.refund('o1', 'r1', 400), Killed);
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 400 });
    assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 0 });
    await bench.settle();
    assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 400 });
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 400 });
    assert.deepEqual(await bench.messages('o1'), ['payment.captured', 'payment.refunded']);
  });

  benchTest('O: decided and killed before the provider was asked', async bench => {
    await bench.charge('o1');
    bench.points.kill('payment.refund.beforeProvider');
    await assert.rejects(bench.refund('o1', 'r1', 400), Killed);
    await bench.settle();
    assert.deepEqual(await bench.ours('o1'), { captured: 1_000, refunded: 400 });
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 400 });
  });

  benchTest('what is decided counts at once, though the provider has not given it yet', async bench => {
    await bench.charge('o1');
    bench.points.kill('provider.refund.beforeLedger');
    await assert.rejects(bench.refund('o1', 'r1', 600), ProviderError);
    assert.ok(isAppError(await outcome(bench.refund('o1', 'r2', 500)), 'refund_exceeds_capture'));
    await bench.refund('o1', 'r1', 600);
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 600 });
  });

  benchTest('two that are open at once: the payment closes with the second', async bench => {
    await bench.charge('o1');
    for (const id of ['r1', 'r2']) {
      bench.points.kill('provider.refund.beforeLedger');
      await assert.rejects(bench.refund('o1', id, 100), ProviderError);
    }
    assert.equal((await bench.captured('o1')).openRefunds, 2);
    await bench.refund('o1', 'r1', 100);
    assert.ok((await bench.captured('o1')).openSince, 'one is still open');
    await bench.refund('o1', 'r2', 100);
    assert.equal((await bench.captured('o1')).openSince, undefined);
  });

  benchTest('100 races: never more than was captured, each id once', async bench => {
    const run = async (race: number) => {
      const orderId = `race-${race}`;
      await bench.charge(orderId);
      const works = [
        () => bench.refund(orderId, `${orderId}-a`, 300),
        () => bench.refund(orderId, `${orderId}-a`, 300),
        () => bench.refund(orderId, `${orderId}-b`, 600),
        () => bench.refund(orderId, `${orderId}-c`),
        () => bench.cancel(orderId),
      ];
      const start = race % works.length;
      const chosen = [...works.slice(start), ...works.slice(0, start)].slice(0, 3 + (race % 3));
      for (const answer of await Promise.all(chosen.map(work => outcome<unknown>(work())))) {
        assert.ok(!(answer instanceof Error) || isAppError(answer, 'refund_exceeds_capture'), String(answer));
      }
      const payment = await bench.captured(orderId);
      const sum = payment.refunds.reduce((total, refund) => total + refund.amount, 0);
      assert.ok(sum <= 1_000);
      assert.equal(payment.left, 1_000 - sum);
      assert.equal(payment.openRefunds, 0);
      assert.equal(payment.refunded, sum);
      assert.equal(new Set(payment.refunds.map(refund => refund.id)).size, payment.refunds.length);
      assert.deepEqual(await bench.books(orderId), { captured: 1_000, refunded: sum });
    };
    await inParallel(4, [...Array(100).keys()], run);
  });

  benchTest('100 refunds of one payment, 10 at a time: as many as it holds', async bench => {
    await bench.charge('o1');
    let given = 0;
    await inParallel(10, [...Array(100).keys()], async at => {
      if (!((await outcome(bench.refund('o1', `r${at}`, 30))) instanceof Error)) given += 1;
    });
    assert.equal(given, 33);
    assert.deepEqual(await bench.books('o1'), { captured: 1_000, refunded: 990 });
    const totals = (await bench.model.findById('o1').lean())?.outbox.slice(1) ?? [];
    assert.deepEqual(
      totals.map(message => (message.data as { refundedTotal: { amount: number } }).refundedTotal.amount),
      Array.from({ length: 33 }, (_, at) => 30 * (at + 1)),
    );
  });
});
