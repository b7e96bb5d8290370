import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gate, numbers } from '@tradepost/shared/testing/busSuiteTools';
import { createBatcher } from './batcher.ts';

test('items that come during a flush go together in the next one, at most so many', async () => {
  const [batches, hold] = [[] as number[][], gate()];
  const batcher = createBatcher<number>(4, 0, async items => {
    batches.push(items);
    await hold.opened;
    return [];
  });
  const first = batcher.add(0);
  await Promise.resolve();
  await Promise.resolve();
  const others = numbers(6).map(n => batcher.add(n + 1));
  hold.open();
  await Promise.all([first, ...others]);
  assert.deepEqual(batches, [[0], [1, 2, 3, 4], [5, 6]]);
});

test('an error goes to its item, or to all when the flush itself failed, and later items are flushed', async () => {
  const batcher = createBatcher<number>(10, 1, async items => {
    if (items.includes(99)) throw new Error('no store');
    return items.map(item => (item % 2 ? new Error(`odd ${item}`) : undefined));
  });
  const results = await Promise.allSettled([2, 3, 4].map(batcher.add));
  assert.deepEqual(
    results.map(result => (result.status === 'rejected' ? result.reason.message : 'ok')),
    ['ok', 'odd 3', 'ok'],
  );
  const failed = await Promise.allSettled([1, 99].map(batcher.add));
  assert.ok(failed.every(result => result.status === 'rejected' && result.reason.message === 'no store'));
  await batcher.add(6);
  await batcher.idle();
});
