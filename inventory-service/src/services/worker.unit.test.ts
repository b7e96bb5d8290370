import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '@tradepost/shared/logger';
import { createWorker } from './worker.ts';

/** A worker whose runs are ended by hand. */
function controlled(intervalMs: number) {
  const begun: PromiseWithResolvers<void>[] = [];
  const waiting: (() => void)[] = [];
  const worker = createWorker({
    ...{ name: 'test', intervalMs, wakeDelayMs: 1, logger: silentLogger() },
    work: () => {
      const run = Promise.withResolvers<void>();
      begun.push(run);
      for (const resolve of waiting.splice(0)) resolve();
      return run.promise;
    },
  });
  /** Resolves when the n-th run has begun. */
  async function run(n: number): Promise<PromiseWithResolvers<void>> {
    while (begun.length < n) await new Promise<void>(resolve => waiting.push(resolve));
    return begun[n - 1] as PromiseWithResolvers<void>;
  }
  return { worker, run, count: () => begun.length };
}

const never = 3_600_000;

describe('createWorker', () => {
  it('runs at once, and again at every interval, after a failure too', async () => {
    const { worker, run } = controlled(1);
    worker.start();
    (await run(1)).reject(new Error('no'));
    (await run(2)).resolve();
    (await run(3)).resolve();
    await worker.stop();
  });

  it('runs when it is woken, also while it runs', async () => {
    const { worker, run } = controlled(never);
    worker.start();
    const first = await run(1);
    worker.wake();
    first.resolve();
    (await run(2)).resolve();
    await new Promise(resolve => setImmediate(resolve));
    worker.wake();
    worker.wake();
    (await run(3)).resolve();
    await worker.stop();
  });

  it('waits for the running work when it stops, and begins no more', async () => {
    const { worker, run, count } = controlled(1);
    worker.start();
    const first = await run(1);
    let stopped = false;
    const stopping = worker.stop().then(() => {
      stopped = true;
    });
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(stopped, false);
    first.resolve();
    await stopping;
    worker.wake();
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.equal(count(), 1);
  });
});
