/**
 * Runs the real services through schedules of calls, messages, timers and faults that a seed draws.
 *
 *   npm run explore -- [--schedules N] [--seed S] [--first] [--trace] [--threads T]
 *
 * N schedules (2,000) from seed S on, in as many threads as there are cores; what is found does not depend on them.
 * --first stops at the first violation, otherwise at the fifth; --trace prints every schedule's trace, which a violation
 * has always. Exits with 1 when a promise was broken. Ctrl-C ends it early, with the sums so far.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { exploreSchedules } from './pool.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '2000' },
    seed: { type: 'string' },
    first: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const count = Number(values.schedules);
const progressMs = 5_000;
const print = (text: string) => process.stdout.write(`${text}\n`);

const sums = { schedules: 0, orders: 0, steps: 0, violated: 0 };
const faults = new Map<string, number>();
const started = performance.now();
const seconds = (): number => (performance.now() - started) / 1_000;
let told = started;
let stopped = false;
process.once('SIGINT', () => {
  stopped = true;
});

print(`seed ${seed}, ${count} schedules`);
for await (const { seed: own, orders, steps, faults: had, violations, trace } of exploreSchedules(
  seed,
  count,
  Math.min(count, Number(values.threads)),
)) {
  sums.schedules += 1;
  sums.orders += orders;
  sums.steps += steps;
  for (const fault of had) faults.set(fault, (faults.get(fault) ?? 0) + 1);
  if (violations.length > 0 || values.trace) print(`\nschedule ${own}:\n${trace.map(line => `  ${line}`).join('\n')}`);
  if (violations.length > 0) {
    sums.violated += 1;
    for (const line of violations) print(`  VIOLATED ${line}`);
    print(`  again: npm run explore -- --seed ${own} --schedules 1`);
    if (sums.violated === (values.first ? 1 : 5)) break;
  }
  if (stopped) break;
  if (performance.now() - told > progressMs) {
    told = performance.now();
    const perSecond = sums.schedules / seconds();
    const left = Math.round((count - sums.schedules) / perSecond);
    print(`${sums.schedules} schedules, ${perSecond.toFixed(1)}/s, ${totalFaults()} faults, ${left} s left`);
  }
}
const kinds = [...faults].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, times]) => `${times} ${kind}`);
print(
  `\nseed ${seed}: ${sums.schedules} schedules, ${sums.orders} orders, ${sums.steps} steps, ${sums.violated} violated, ` +
    `${Math.round(seconds())} s\n${totalFaults()} faults: ${kinds.join(', ')}`,
);
process.exitCode = sums.violated > 0 ? 1 : 0;

function totalFaults(): number {
  return [...faults.values()].reduce((sum, times) => sum + times, 0);
}
