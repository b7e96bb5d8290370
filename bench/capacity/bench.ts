import { writeFileSync } from 'node:fs';
import { type Coefficients, coefficientsFile } from '@tradepost/local/capacity/coefficients';
import { checkTable, measuredText, processorsTable, writesTable } from '@tradepost/local/capacity/measuredTables';
import { writeTables } from '@tradepost/local/capacity/page';
import { activities, type Usage } from '@tradepost/local/capacity/usage';
import { machine, type Report } from '../report.ts';
import { type Comparison, describe, tolerance, tooFarOff } from './check.ts';
import { type HotProduct, measureHotProduct } from './hotProduct.ts';
import { type CapacityOptions, type CapacityRun, measureCapacity } from './run.ts';

/**
 * Measures what everything costs, and leaves it in bench/report/capacity.json, where the capacity model takes it from, and in
 * the tables of docs/capacity.md.
 * @throws Error when the costs do not explain a mixture of all within `tolerance`; nothing is written then
 */
export async function benchCapacity(options: CapacityOptions): Promise<Report> {
  const run = await measureCapacity(options);
  failIfFarOff(run.check);
  const coefficients = coefficientsOf(run, await measureHotProduct(options.seconds, options.say), options);
  writeFileSync(coefficientsFile, `${JSON.stringify(coefficients, undefined, 2)}\n`);
  writeTables();
  return {
    title: 'What an order costs',
    text: `${measuredText(coefficients)} [docs/capacity.md](../../docs/capacity.md) says how, and what follows from it.

${processorsTable(coefficients)}

${writesTable(coefficients)}

What the costs say of customers who look round, sign in and order, which they were not told from, beside what this used:

${checkTable(coefficients)}
`,
    plots: {},
    ratios: {},
  };
}

/** Measures and says how well the costs explain a mixture. @returns whether all of it is within `tolerance` */
export async function checkCapacity(options: CapacityOptions): Promise<boolean> {
  const { check } = await measureCapacity(options);
  for (const one of check) options.say(describe(one));
  const far = tooFarOff(check);
  options.say(`${check.length - far.length} of ${check.length} are within ${100 * tolerance} %`);
  return far.length === 0;
}

function failIfFarOff(check: readonly Comparison[]): void {
  const far = tooFarOff(check);
  if (far.length === 0) return;
  const lines = far.map(one => `  ${describe(one)}`).join('\n');
  throw new Error(`the costs are not good to ${100 * tolerance} %; measure again when the machine is quiet:\n${lines}`);
}

function coefficientsOf(run: CapacityRun, hotProduct: HotProduct, { rounds, seconds }: CapacityOptions): Coefficients {
  const costs = activities.map(name => [name, rounded(run.costs.activities[name])] as const);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: { node: process.versions.node, ...run.versions },
    run: { rounds, seconds, products: run.products },
    idle: rounded(run.costs.idle),
    activities: Object.fromEntries(costs) as Coefficients['activities'],
    memoryMiB: short(run.memoryMiB),
    diskPerByte: short(run.diskPerByte),
    keptSeconds: short(run.keptSeconds),
    hotProduct: {
      ordersPerSecond: short(hotProduct.ordersPerSecond),
      updatesPerSecond: digits(hotProduct.updatesPerSecond),
    },
    check: run.check.map(one => ({
      ...one,
      ...short({ predicted: one.predicted, measured: one.measured, ratio: one.ratio }),
    })),
  };
}

const digits = (value: number): number => Number(value.toPrecision(4));

const short = <Key extends string>(values: Record<Key, number>): Record<Key, number> =>
  Object.fromEntries(Object.entries<number>(values).map(([key, value]) => [key, digits(value)])) as Record<Key, number>;

/** Without what is nothing, or so little that only noise says it. */
function rounded(usage: Usage): Usage {
  const quantities = Object.entries(usage).map(([quantity, parts]) => {
    const told = Object.entries(parts).filter(([, amount]) => amount > 0.001);
    return [quantity, short(Object.fromEntries(told))] as const;
  });
  return Object.fromEntries(quantities.filter(([, parts]) => Object.keys(parts).length > 0));
}
