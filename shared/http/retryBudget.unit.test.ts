import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRetryBudget } from './retryBudget.ts';

function taken(budget: ReturnType<typeof createRetryBudget>): number {
  let count = 0;
  while (budget.take()) count += 1;
  return count;
}

test('retries are a tenth of the calls, one a second, and at most 20 saved', () => {
  let now = 0;
  const budget = createRetryBudget(() => now);
  assert.equal(taken(budget), 20);
  for (let n = 0; n < 100; n += 1) budget.called();
  assert.equal(taken(budget), 10);
  now += 3_500;
  assert.equal(taken(budget), 3);
  now += 500;
  assert.equal(taken(budget), 1);
  now += 3_600_000;
  assert.equal(taken(budget), 20);
});
