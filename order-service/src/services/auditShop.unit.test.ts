import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portionsOf } from './auditShop.ts';

test('the stock of orders is asked for in portions that a service takes', () => {
  const ofLines = (...lines: number[]) => lines.map(length => ({ productIds: Array.from({ length }, () => 'p') }));
  const sizes = (...lines: number[]) =>
    portionsOf(ofLines(...lines)).map(portion => portion.map(order => order.productIds.length));
  assert.deepEqual(sizes(), []);
  assert.deepEqual(sizes(1, 2, 3), [[1, 2, 3]]);
  assert.deepEqual(sizes(...Array<number>(12).fill(1_000)), [
    [1_000, 1_000, 1_000, 1_000, 1_000],
    [1_000, 1_000, 1_000, 1_000, 1_000],
    [1_000, 1_000],
  ]);
  assert.deepEqual(sizes(4_999, 2, 4_998, 1), [[4_999], [2, 4_998], [1]]);
});
