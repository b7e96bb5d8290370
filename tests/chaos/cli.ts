/**
 * Kills the shop at named points under load and checks every promise afterwards.
 *
 *   npm run chaos -- [--trials N] [--point NAME] [--seed S] [--lanes N]
 *   npm run chaos -- --races
 *
 * Without --trials the shop is killed once at every point; with it, points, hits, second kills and freezes are drawn by
 * the seed. --races runs the races of this folder. Exits 1 when a promise was broken or, without
 * --trials, a point was never reached.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failpoints } from './failpoints.ts';
import { type Lane, openLane, type TrialResult } from './lane.ts';
import { drawTrials, everyPoint, nameOf, type Trial } from './trials.ts';

const { values } = parseArgs({
  options: {
    trials: { type: 'string' },
    seed: { type: 'string' },
    point: { type: 'string', multiple: true },
    lanes: { type: 'string', default: String(availableParallelism()) },
    races: { type: 'boolean' },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);

if (values.races) {
  const tests = [
    join(import.meta.dirname, '..', 'run.ts'),
    '--concurrency',
    '1',
    join(import.meta.dirname, '*.race.ts'),
  ];
  const { status } = spawnSync(process.execPath, tests, { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const seed = Number(values.seed ?? Date.now() % 1_000_000);
const trials = values.trials ? drawTrials(Number(values.trials), seed) : everyPoint(values.point ?? failpoints, seed);
say(`seed ${seed}, ${trials.length} trials over ${failpoints.length} points`);

/** An audit of more orders takes longer than it finds out. */
const trialsPerShop = 20;
const sums = { done: 0, kills: 0, freezes: 0, orders: 0, unreached: 0, violations: 0, failed: 0, longestMs: 0 };
const began = Date.now();
const queue = trials.map((trial, index) => ({ trial, index }));
// Ends after the trials that are under way, and says what they and those before have shown.
process.once('SIGINT', () => queue.splice(0));
await Promise.all(Array.from({ length: Math.min(Number(values.lanes), trials.length) }, work));
conclude();

/**
 * Works off trials, so many of them on one shop after the other, so that what one left behind is there in the next; and
 * on a new shop after each violation, so that it is reported once.
 */
async function work(): Promise<void> {
  let lane: Lane | undefined;
  let trialsOnLane = 0;
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { trial, index } = next;
    try {
      lane ??= await openLane();
      const result = await lane.run(trial, String(index));
      report(trial, result);
      trialsOnLane += 1;
      if (result.violations.length === 0 && trialsOnLane < trialsPerShop && queue.length > 0) continue;
      if (result.violations.length === 0) broken(await lane.finish());
    } catch (error) {
      sums.done += 1;
      broken([`${nameOf(trial)}: ${error instanceof Error ? error.stack : error}`]);
    }
    await lane?.close();
    [lane, trialsOnLane] = [undefined, 0];
  }
  if (lane) {
    broken(await lane.finish());
    await lane.close();
  }
}

function broken(violations: readonly string[]): void {
  if (violations.length === 0) return;
  sums.violations += violations.length;
  sums.failed += 1;
  for (const violation of violations) say(`    ${violation}`);
}

function report(trial: Trial, { reached, violations, ...result }: TrialResult): void {
  sums.done += 1;
  sums.kills += result.kills;
  sums.freezes += result.freezes;
  sums.orders += result.orders;
  sums.longestMs = Math.max(sums.longestMs, result.recoveryMs);
  const missed = !reached && !values.trials;
  if (!reached) sums.unreached += 1;
  if (missed) sums.failed += 1;
  const outcome = violations.length > 0 ? 'BROKEN' : reached ? 'ok' : 'never reached';
  const leftMs = ((Date.now() - began) / sums.done) * (trials.length - sums.done);
  say(
    `${sums.done}/${trials.length} ${nameOf(trial)}: ${outcome}, reached after ${result.loadMs} ms, settled after ${
      result.recoveryMs
    } ms · ${sums.kills} kills, ${sums.orders} orders, ${Math.ceil(leftMs / 1_000)} s left`,
  );
  broken(violations);
}

function conclude(): void {
  const { kills, freezes, orders, unreached, violations, failed, longestMs } = sums;
  const faults = kills + freezes;
  const seconds = (Date.now() - began) / 1_000;
  const perTrial = (seconds / Math.max(1, sums.done)).toFixed(1);
  say('');
  say(`seed ${seed}: ${kills} kills, ${freezes} freezes, ${orders} orders, ${violations} violations`);
  say(
    `${seconds.toFixed(0)} s, ${perTrial} s per trial, longest recovery ${longestMs} ms, ${unreached} points not reached`,
  );
  if (violations === 0 && faults > 0) {
    // "Rule of three" (Hanley and Lippman-Hand 1983).
    const bound = Math.min(100, 300 / faults).toFixed(1);
    say(`with 95 % confidence fewer than ${bound} % of such faults break a promise (none of ${faults} did)`);
  }
  say(`${Math.max(0, sums.done - failed)} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
