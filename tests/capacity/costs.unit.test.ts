import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { activities, type Usage } from '@tradepost/local/capacity/usage';
import fc from 'fast-check';
import { compareUsage, tooFarOff } from '../../bench/capacity/check.ts';
import { type Costs, costsOf, middleCosts, predict } from '../../bench/capacity/costs.ts';
import { type Counts, calibration, mixture, type Phase } from '../../bench/capacity/phases.ts';
import { solve } from '../../bench/capacity/solve.ts';

/** What a phase does when everything comes out. */
const countsOf = ({ rates, seconds, lines }: Phase): Counts => {
  const counts = Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, rate * seconds]));
  return { ...counts, line: (counts.order ?? 0) * (lines - 1) };
};

const costs: Costs = {
  idle: { cpuMs: { gateway: 3, 'order-service': 9 } },
  activities: middleCosts([]).activities,
};
for (const [index, name] of activities.entries()) {
  const cpuMs = { gateway: 1 + index, 'order-service': index };
  costs.activities[name] = { cpuMs, documents: { 'order-service': 1 } };
}

const observe = (phase: Phase, noise = 1) => {
  const work = { counts: countsOf(phase), seconds: phase.seconds };
  return { ...work, usage: scaled(predict(costs, work), noise) };
};

const scaled = (usage: Usage, by: number): Usage =>
  Object.fromEntries(
    Object.entries(usage).map(([quantity, parts]) => [
      quantity,
      Object.fromEntries(Object.entries(parts).map(([part, amount]) => [part, amount * by])),
    ]),
  );

describe('costs told from phases', () => {
  test('are those that there are, and explain a mixture', () => {
    const told = costsOf(calibration(8).map(phase => observe(phase)));
    for (const name of activities) {
      for (const [part, amount] of Object.entries(costs.activities[name].cpuMs ?? {})) {
        assert.ok(Math.abs((told.activities[name].cpuMs?.[part] ?? 0) - amount) < 1e-6, `${name} of ${part}`);
      }
    }
    assert.ok(Math.abs((told.idle.cpuMs?.['order-service'] ?? 0) - 9) < 1e-6);
    const mixed = observe(mixture(8));
    assert.deepEqual(tooFarOff(compareUsage(predict(told, mixed), mixed.usage)), []);
  });

  test('explain it within the tolerance when every phase is a tenth off', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.9, max: 1.1, noNaN: true }), { minLength: 12, maxLength: 12 }), noise => {
        const told = costsOf(calibration(8).map((phase, index) => observe(phase, noise[index])));
        const mixed = observe(mixture(8));
        const compared = compareUsage(predict(told, mixed), mixed.usage);
        assert.deepEqual(tooFarOff(compared), []);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test('are never below nothing, and of several rounds the middle ones', () => {
    const told = costsOf(calibration(8).map((phase, index) => observe(phase, index === 2 ? 0.2 : 1)));
    for (const usage of [told.idle, ...Object.values(told.activities)]) {
      for (const amount of Object.values(usage.cpuMs ?? {})) assert.ok(amount >= 0);
    }
    const rounds = [1, 5, 2].map(factor => ({ ...costs, idle: scaled(costs.idle, factor) }));
    assert.deepEqual(middleCosts(rounds).idle, scaled(costs.idle, 2));
  });
});

test('a prediction that is too far off is found, either way', () => {
  const measured: Usage = {
    cpuMs: { gateway: 100, broker: 100 },
    documents: { 'order-service': 10 },
    published: { a: 4 },
  };
  const foundAt = (factor: number) => tooFarOff(compareUsage(scaled(measured, factor), measured)).length;
  assert.deepEqual(
    [0.7, 0.76, 1, 1.24, 1.3].map(factor => foundAt(factor) > 0),
    [true, false, false, false, true],
  );
  const nothing = compareUsage({ ...measured, published: {} }, measured);
  assert.ok(tooFarOff(nothing).some(one => one.what === 'published'));
});

describe('solving by least squares', () => {
  test('finds what the values were made of', () => {
    const numbers = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(numbers, numbers, numbers), ([a, b, c]) => {
        const rows = [
          [1, 0, 0],
          [1, 2, 0],
          [1, 5, 1],
          [1, 3, 7],
        ];
        const found = solve(
          rows,
          rows.map(([x = 0, y = 0, z = 0]) => a * x + b * y + c * z),
        );
        for (const [index, value] of [a, b, c].entries()) assert.ok(Math.abs(found[index]! - value) < 1e-6);
      }),
      { seed: 1 },
    );
  });

  test('says when rows do not tell two things apart', () => {
    assert.throws(
      () =>
        solve(
          [
            [1, 2],
            [2, 4],
          ],
          [1, 2],
        ),
      /is not told apart/,
    );
  });
});
