/**
 * Checks the checks: plants known bugs, one at a time, in a copy of the project, and tells which suite finds each.
 *
 *   npm run mutants -- [--only TEXT] [--schedules N] [--seed S]
 *
 * First everything that is to find a bug must pass without one, and each bug must be a program that compiles. N explored
 * schedules (120) from seed S (1) on. Two suites run at a time. At the end `N passed, N failed`; exits with 1 when a bug
 * was not found.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allMutants } from './all.ts';
import { copyProject, fits, plant } from './copy.ts';
import type { Mutant } from './mutant.ts';
import { runSuite, type SuiteResult } from './suites.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    schedules: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
  },
});
const mutants = allMutants.filter(one => !values.only || one.name.includes(values.only));
const suites = [...new Set(mutants.flatMap(one => one.suites))];

setPriority(10);
const stopped = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopped.abort(new Error(name)));
const options = { schedules: values.schedules, seed: values.seed, signal: stopped.signal };
const print = (text: string) => process.stdout.write(`${text}\n`);
const copies: string[] = [];
let found = 0;

/** Works through `items`, one in each copy at a time. */
async function inCopies<Item>(items: readonly Item[], work: (item: Item, copy: string) => Promise<void>) {
  const waiting = [...items];
  const ends = await Promise.allSettled(
    copies.map(async copy => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item, copy);
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** @throws Error when a planted bug is no program: then everything would find it */
function requireCompiled(copy: string): void {
  for (let left = mutants; left.length > 0; ) {
    const planted: Mutant[] = [];
    const undo = left.flatMap(mutant => {
      if (planted.length > 0 && !fits(copy, mutant)) return [];
      planted.push(mutant);
      return [plant(copy, mutant)];
    });
    const tsc = join(copy, 'node_modules', 'typescript', 'bin', 'tsc');
    const flags = ['--noEmit', '--noUnusedLocals', 'false', '--noUnusedParameters', 'false'];
    const { stdout } = spawnSync(process.execPath, [tsc, ...flags], { cwd: copy, encoding: 'utf8' });
    for (const takeOut of undo.reverse()) takeOut();
    const errors = stdout.split('\n').filter(line => planted.some(({ file }) => line.startsWith(`${file}(`)));
    if (errors.length > 0) throw new Error(`a mutant does not compile:\n${errors.join('\n')}`);
    left = left.filter(mutant => !planted.includes(mutant));
  }
}

/** @throws Error when a suite fails without a planted bug: then it would find everything */
async function requirePassing(): Promise<void> {
  const failures: string[] = [];
  await inCopies(suites, async (suite, copy) => {
    const { outcome, output, seconds } = await runSuite(copy, suite, options);
    print(`${outcome.padEnd(9)} ${suite} without a mutant, ${seconds.toFixed(1)} s`);
    if (outcome !== 'passed') failures.push(`${suite} does not pass without a mutant:\n${output}`);
  });
  if (failures.length > 0) throw new Error(failures.join('\n'));
}

/** What failed, without the place, which the suite tells. */
const told = ({ first = 'it exits with a failure' }: SuiteResult): string =>
  first.replace(/ \(\S+:\d+\)$/, '').slice(0, 150);

async function seek(mutant: Mutant, copy: string): Promise<void> {
  const takeOut = plant(copy, mutant);
  const tried: string[] = [];
  let seconds = 0;
  try {
    for (const suite of mutant.suites) {
      const result = await runSuite(copy, suite, options);
      seconds += result.seconds;
      if (result.outcome === 'failed') {
        found += 1;
        print(`found     ${mutant.name}, ${seconds.toFixed(1)} s\n          by ${suite}: ${told(result)}`);
        return;
      }
      tried.push(`${suite}: ${result.outcome}`);
    }
    print(`NOT FOUND ${mutant.name}, ${seconds.toFixed(1)} s\n          ${tried.join(', ')}`);
  } finally {
    takeOut();
  }
}

try {
  copies.push(copyProject(), copyProject());
  requireCompiled(copies[0]!);
  await requirePassing();
  await inCopies(mutants, seek);
} catch (error) {
  print(String(error));
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
}
print(`\n${found} passed, ${mutants.length - found} failed`);
process.exitCode = found > 0 && found === mutants.length ? 0 : 1;
