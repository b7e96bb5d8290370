import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '@tradepost/shared/errors';
import { createQueue } from './workQueue.ts';

/** A task that ends when it is told to. */
function task() {
  let begun = false;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return {
    run: () => {
      begun = true;
      return promise;
    },
    begun: () => begun,
    end: resolve,
    fail: reject,
  };
}

const turn = () => new Promise(resolve => setImmediate(resolve));

test('so many run, so many wait in order, and the next is refused with Retry-After', async () => {
  const queue = createQueue({ running: 2, waiting: 2 });
  const [a, b, c, d] = [task(), task(), task(), task()];
  const results = [a, b, c, d].map(one => queue.run(one.run));
  assert.deepEqual(
    [a, b, c, d].map(one => one.begun()),
    [true, true, false, false],
  );
  await assert.rejects(
    queue.run(task().run),
    error => isAppError(error, 'service_unavailable') && error.extras.retryAfter === 1,
  );
  b.end('b');
  await turn();
  assert.deepEqual([c.begun(), d.begun()], [true, false]);
  assert.deepEqual([queue.running, queue.waiting], [2, 1]);
  for (const one of [a, c, d]) one.end('done');
  assert.deepEqual(await Promise.all(results), ['done', 'b', 'done', 'done']);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

test('a task that fails frees its place', async () => {
  const queue = createQueue({ running: 1, waiting: 1 });
  const [bad, good] = [task(), task()];
  const failed = assert.rejects(queue.run(bad.run), /broken/);
  const done = queue.run(good.run);
  bad.fail(new Error('broken'));
  await failed;
  good.end('good');
  assert.equal(await done, 'good');
  assert.equal(await queue.run(async () => 'again'), 'again');
});
