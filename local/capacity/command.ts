import { parseArgs } from 'node:util';
import { StartError } from '@tradepost/shared/lifecycle';
import { type Coefficients, readCoefficients } from './coefficients.ts';
import { costOf } from './cost.ts';
import { limitsBetween, limitsOf } from './limits.ts';
import { planFor } from './model.ts';
import { priceList } from './servers.ts';
import { figure } from './table.ts';
import { assumptionsOf, costTable, databasesTable, limitsTable, restOf, servicesTable } from './text.ts';
import { usualWorkload, type Workload } from './workload.ts';

/** What can be said of a workload, and between which numbers. */
const options: Record<string, { key: keyof Workload; least: number; most: number }> = {
  'orders-per-second': { key: 'ordersPerSecond', least: 0.001, most: 1_000_000 },
  'reads-per-order': { key: 'readsPerOrder', least: 0, most: 100_000 },
  'lines-per-order': { key: 'linesPerOrder', least: 1, most: 1_000 },
  'sign-ins-per-order': { key: 'signInsPerOrder', least: 0, most: 1_000 },
  'refreshes-per-order': { key: 'refreshesPerOrder', least: 0, most: 1_000 },
  'cache-hits': { key: 'cacheHits', least: 0, most: 1 },
  'hottest-share': { key: 'hottestShare', least: 0.000_001, most: 1 },
  'retention-days': { key: 'retentionDays', least: 1, most: 36_500 },
  'average-load': { key: 'averageLoad', least: 0.001, most: 1 },
  utilisation: { key: 'utilisation', least: 0.05, most: 0.95 },
  'core-speed': { key: 'coreSpeed', least: 0.05, most: 20 },
};

/**
 * Reads the arguments of `npm run capacity`.
 * @returns the workload to plan for, or `write` when the page is to be written
 * @throws StartError of one line that says what is wrong
 */
export function readArguments(args: string[]): Workload | 'write' {
  const values = parse(args);
  if (values.write) return 'write';
  const given = Object.entries(options).flatMap(([name, { key, least, most }]) => {
    const text = values[name];
    if (typeof text !== 'string') return [];
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= least && value <= most))
      throw new StartError(`--${name} ${text}: say a number from ${least} to ${most}`);
    return [[key, value] as const];
  });
  if (values['orders-per-second'] === undefined) throw new StartError('Say for how many: --orders-per-second N');
  return { ...usualWorkload, ordersPerSecond: 1, ...Object.fromEntries(given) };
}

function parse(args: string[]): Record<string, string | boolean | undefined> {
  const numbers = Object.fromEntries(Object.keys(options).map(name => [name, { type: 'string' } as const]));
  try {
    return parseArgs({ args, options: { ...numbers, write: { type: 'boolean' } } }).values;
  } catch (error) {
    const [problem] = (error as Error).message.split(/\.\s/);
    throw new StartError(
      `${problem}; there are ${Object.keys(options)
        .map(name => `--${name}`)
        .join(', ')}, --write`,
    );
  }
}

/** What was measured last. @throws StartError when there is nothing, or nothing that can be read */
export function measuredLast(): Coefficients {
  try {
    return readCoefficients();
  } catch (error) {
    throw new StartError(
      `There is no measurement to plan with (${(error as Error).message.split('\n')[0]}): npm run bench -- capacity`,
    );
  }
}

/** A plan for people at a terminal. */
export function planText(measured: Coefficients, workload: Workload): string {
  const plan = planFor(measured, workload);
  const cost = costOf(plan);
  const limits = limitsOf(measured, workload);
  const [passed, next] = [
    limitsBetween(limits, 0, workload.ordersPerSecond),
    limits.find(one => one.ordersPerSecond > workload.ordersPerSecond),
  ];
  const open = passed.filter(one => !one.isPlanned);
  return [
    `${figure(workload.ordersPerSecond)} orders a second at the busiest time. ${assumptionsOf(plan)}`,
    servicesTable(plan),
    databasesTable(plan),
    restOf(plan).join('\n'),
    `What gives out on the way there and is mended by this plan, and what gives out next:`,
    limitsTable([...passed.filter(one => one.isPlanned), ...(next ? [next] : [])]),
    open.length === 0
      ? 'Nothing gives out that this plan does not mend.'
      : `What gives out and this plan does NOT mend:\n\n${limitsTable(open)}`,
    `${priceList.name}, list prices of ${priceList.date}; 1,000 orders cost ${figure(cost.dollarsPer1000Orders)} dollars:`,
    costTable(cost),
    `Measured ${measured.date} on ${measured.machine}. docs/capacity.md says what all this rests on.`,
  ].join('\n\n');
}
