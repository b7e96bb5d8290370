import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readCoefficients } from './coefficients.ts';
import { planText, readArguments } from './command.ts';
import { limitsOf } from './limits.ts';
import { capacityPage, tablesOf, withTables } from './page.ts';
import { figure, table } from './table.ts';
import { usualWorkload } from './workload.ts';

describe('the arguments of npm run capacity', () => {
  test('what is not said is as usual', () => {
    assert.deepEqual(readArguments(['--orders-per-second', '250', '--utilisation=0.5', '--reads-per-order', '1e2']), {
      ...usualWorkload,
      ...{ ordersPerSecond: 250, utilisation: 0.5, readsPerOrder: 100 },
    });
    assert.equal(readArguments(['--write']), 'write');
  });

  const wrong: [string[], RegExp][] = [
    [[], /^Say for how many: --orders-per-second N$/],
    [['--orders-per-second', 'many'], /^--orders-per-second many: say a number from 0.001 to 1000000$/],
    [['--orders-per-second', ''], /^--orders-per-second : say a number/],
    [['--orders-per-second', '0'], /say a number/],
    [['--orders-per-second', '-5'], /--orders-per-second/],
    [['--orders-per-second', 'Infinity'], /say a number/],
    [['--orders-per-second', '5', '--utilisation', '1.2'], /^--utilisation 1.2: say a number from 0.05 to 0.95$/],
    [['--orders', '5'], /^Unknown option '--orders'; there are --orders-per-second, /],
    [['5'], /^Unexpected argument '5'/],
  ];
  for (const [args, message] of wrong) {
    test(`one line says what is wrong: ${args.join(' ') || 'nothing'}`, () => {
      assert.throws(
        () => readArguments(args),
        (error: Error) => message.test(error.message) && !error.message.includes('\n'),
      );
    });
  }

  test('the program prints a plan, or one line and fails', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [fileURLToPath(new URL('cli.ts', import.meta.url)), ...args], { encoding: 'utf8' });
    const plan = run('--orders-per-second', '100');
    assert.equal(plan.status, 0, plan.stderr);
    assert.match(plan.stdout, /^100 orders a second/);
    assert.match(plan.stdout, /\| order-service +\| +\d+ \|/);
    const bad = run('--orders-per-second', 'x');
    assert.deepEqual([bad.status, bad.stdout, bad.stderr.split('\n').length], [1, '', 2]);
  });
});

describe('the plan in words', () => {
  const measured = readCoefficients();

  test('names what gives out below the rate, and what it does not mend', () => {
    const usual = { ...usualWorkload, ordersPerSecond: 1 };
    const last = limitsOf(measured, usual).findLast(one => !one.isPlanned)!;
    const above = planText(measured, { ...usual, ordersPerSecond: 1.01 * last.ordersPerSecond });
    const [, open = ''] = above.split('does NOT mend');
    assert.ok(open.includes(last.what), last.what);
    const little = planText(measured, { ...usual, ordersPerSecond: 0.01 });
    assert.match(little, /Nothing gives out that this plan does not mend/);
  });
});

describe('docs/capacity.md', () => {
  const page = readFileSync(capacityPage, 'utf8');

  test('has the tables of what was measured last (npm run capacity -- --write)', () => {
    assert.equal(page, withTables(page, tablesOf(readCoefficients())));
  });

  test('an old table is noticed, and so is one that is missing', () => {
    const place = (name: string) => `<!-- ${name}: made by npm run capacity -- --write -->\n\nold\n\n<!-- end -->\n`;
    assert.equal(withTables(`a\n${place('one')}b\n`, { one: 'new' }), `a\n${place('one').replace('old', 'new')}b\n`);
    assert.throws(() => withTables(place('one'), { one: '', two: '' }), /there are one, two/);
    assert.throws(() => withTables(place('one') + place('other'), { one: '' }), /places for one, other/);
  });
});

test('tables line up, figures have three digits that say something', () => {
  assert.equal(table(['a', 'b'], [['long', '1']]), ['| a    |   b |', '| ---- | --: |', '| long |   1 |'].join('\n'));
  assert.deepEqual([0, 0.00012, 0.0123, 1.234, 12.34, 1_234, 1_234_567].map(figure), [
    ...['0', '1.2e-4', '0.0123', '1.23', '12.3', '1,230', '1,230,000'],
  ]);
});
