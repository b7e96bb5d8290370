import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from './play.ts';
import type { ReplayResult } from './replay.ts';
import { agrees, percentile, reportOf } from './report.ts';

const startedAt = new Date('2026-01-01T12:00:00Z');

function outcome(line: number, tookMs: number, more: Partial<Outcome> = {}): Outcome {
  const order = { line, invoiceNo: String(line), customerId: '1', country: 'France', quantities: new Map() };
  return {
    order: { ...order, expectedTotal: 100 },
    ...{ orderId: `order-${line}`, createdAt: new Date('2026-01-01T12:00:01Z'), total: 100, tookMs },
    ...more,
  };
}

function resultOf(outcomes: Outcome[], more: Partial<ReplayResult> = {}): ReplayResult {
  return {
    catalogue: { created: 1, updated: 0, unchanged: 0, rejected: [] },
    orders: { played: outcomes.length, cancels: 0, rejected: [] },
    ...{ outcomes, wrongTotals: [], doubles: [], wrongStock: [], stockChecked: 3, startedAt, seconds: 2, retries: 0 },
    ...more,
  };
}

test('percentiles are values that were measured (nearest rank)', () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);
  assert.deepEqual(
    [0.5, 0.9, 0.99, 1].map(share => percentile(values, share)),
    [50, 90, 99, 100],
  );
  assert.equal(percentile([7], 0.5), 7);
});

describe('the report', () => {
  test('says that everything agrees', () => {
    const result = resultOf([outcome(1, 10), outcome(2, 30)]);
    assert.ok(agrees(result));
    assert.deepEqual(reportOf(result), [
      'orders    2 of 2 confirmed',
      'speed     1.0 orders/s, 2.0 s in all',
      'latency   p50 10 ms, p90 30 ms, p99 30 ms',
      'totals    2 of 2 agree with the files, 2.00 in all',
      'stock     3 of 3 products agree with the files',
    ]);
  });

  test('measures only what this run has placed', () => {
    const earlier = { createdAt: new Date('2026-01-01T11:59:59Z') };
    const result = resultOf([outcome(1, 1, earlier), outcome(2, 30)]);
    assert.partialDeepStrictEqual(reportOf(result), [
      'orders    2 of 2 confirmed, 1 of them by an earlier run',
      'speed     0.5 orders/s, 2.0 s in all',
      'latency   p50 30 ms, p90 30 ms, p99 30 ms',
    ]);
  });

  const refused = { order: outcome(2, 1).order, tookMs: 1, problem: '409' };
  const wrong = outcome(2, 10, { total: 99 });
  const cases: [string, ReplayResult, RegExp][] = [
    ['an order that was refused', resultOf([outcome(1, 10), refused]), /^orders {4}1 of 2 confirmed$/m],
    ['a wrong total', resultOf([outcome(1, 10), wrong], { wrongTotals: [wrong] }), /line 2 .*total 99, expected 100/],
    ['an order twice', resultOf([outcome(1, 10)], { doubles: [outcome(1, 10)] }), /order order-1 came twice/],
    [
      'stock that is off',
      resultOf([outcome(1, 10)], { wrongStock: [{ sku: 'A', expected: 4, found: 5 }] }),
      /^stock {5}2 of 3 .*\n {2}A: 5 on hand, expected 4$/m,
    ],
  ];
  for (const [name, result, line] of cases) {
    test(`tells of ${name}`, () => {
      assert.equal(agrees(result), false);
      assert.match(reportOf(result).join('\n'), line);
    });
  }
});
