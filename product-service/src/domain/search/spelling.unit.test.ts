import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nearTerms, prefixRange, tolerance } from './spelling.ts';

/** Optimal string alignment by its definition, to compare with. */
function edits(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      table[i]![j] = Math.min(table[i - 1]![j]! + 1, table[i]![j - 1]! + 1, table[i - 1]![j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        table[i]![j] = Math.min(table[i]![j]!, table[i - 2]![j - 2]! + 1);
      }
    }
  }
  return table[a.length]![b.length]!;
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), minLength: 1, maxLength: 8 });

describe('near terms', () => {
  test('are exactly those within the limit', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), word, fc.integer({ min: 0, max: 3 }), (given, sought, limit) => {
        const terms = [...new Set(given)].sort();
        const expected = terms.map(term => ({ term, edits: edits(term, sought) })).filter(one => one.edits <= limit);
        assert.deepEqual(nearTerms(terms, sought, limit), expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('swapped letters are one edit', () => {
    assert.deepEqual(nearTerms(['lantern', 'lanterns'], 'lantren', 2), [
      { term: 'lantern', edits: 1 },
      { term: 'lanterns', edits: 2 },
    ]);
  });
});

test('short words and numbers are taken as they are', () => {
  assert.deepEqual(['ab', 'abc', 'abcd', 'abcde', '85123a', 'a1'].map(tolerance), [0, 1, 1, 2, 0, 0]);
});

test('a prefix range holds exactly the terms with that prefix', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), word, (given, prefix) => {
      const terms = [...new Set(given)].sort();
      const [from, to] = prefixRange(terms, prefix);
      assert.deepEqual(
        terms.slice(from, to),
        terms.filter(term => term.startsWith(prefix)),
      );
    }),
  );
});
