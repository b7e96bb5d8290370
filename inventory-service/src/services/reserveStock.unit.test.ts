import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeLines } from './reserveStock.ts';

describe('mergeLines', () => {
  it('sorts by product and adds up lines of the same', () => {
    const lines = [
      { productId: 'b', quantity: 2 },
      { productId: 'a', quantity: 1 },
      { productId: 'b', quantity: 3 },
    ];
    assert.deepEqual(mergeLines(lines), [
      { productId: 'a', quantity: 1 },
      { productId: 'b', quantity: 5 },
    ]);
  });
});
