import { setTimeout as sleep } from 'node:timers/promises';
import { type Activity, activities } from '@tradepost/local/capacity/usage';
import type { Doings } from './activities.ts';

/** How often each thing is done; `line` counts the lines of orders beyond their first ones. */
export type Counts = Partial<Record<Activity, number>>;

/** A piece of steady work. */
export interface Phase {
  name: string;
  seconds: number;
  /** How often a second. */
  rates: Partial<Record<Exclude<Activity, 'line'>, number>>;
  /** Of each order. */
  lines: number;
}

/** Rates at which a machine of two processors is far from busy, also with the customers on it. */
const [slow, fast] = [6, 20];

const alone = (activity: Exclude<Activity, 'order' | 'line'>, rate: number, seconds: number): Phase => ({
  ...{ name: activity, seconds, lines: 1 },
  rates: { [activity]: rate },
});

/**
 * Work from which the cost of everything can be told: nothing, orders at two rates and of two sizes, all else alone.
 * @param seconds length of the phases with orders; the others take less
 */
export const calibration = (seconds: number): Phase[] => [
  { name: 'idle', seconds: seconds / 2, rates: {}, lines: 1 },
  { name: 'few orders', seconds, rates: { order: slow }, lines: 1 },
  { name: 'many orders', seconds, rates: { order: fast }, lines: 1 },
  { name: 'large orders', seconds, rates: { order: slow }, lines: 6 },
  alone('listFromCache', 150, (3 * seconds) / 8),
  alone('list', 60, (3 * seconds) / 8),
  alone('detailFromCache', 150, (3 * seconds) / 8),
  alone('detail', 100, (3 * seconds) / 8),
  alone('stock', 100, (3 * seconds) / 8),
  alone('ownOrder', 60, (3 * seconds) / 8),
  alone('signIn', 8, (3 * seconds) / 8),
  alone('refresh', 20, (3 * seconds) / 8),
];

/** Customers who look round, sign in and order, at other rates and sizes than those that the costs are told from. */
export const mixture = (seconds: number): Phase => ({
  name: 'a mixture',
  seconds,
  rates: {
    ...{ order: 10, signIn: 2, refresh: 5, ownOrder: 6, stock: 10 },
    ...{ list: 10, listFromCache: 30, detail: 10, detailFromCache: 30 },
  },
  lines: 3,
});

/** Past it a machine that is busy with something else would only answer later. */
const mostAtOnce = 8;
/** More failures than this are no measurement. */
const mostFailures = 0.02;

/**
 * Does a phase's work, spread evenly over its time, however long the answers take; when they take too long it lasts longer.
 * @returns what was done
 * @throws Error when more than a few requests fail
 */
export async function runPhase(phase: Phase, doings: Doings): Promise<Counts> {
  const counts: Counts = {};
  const failures: string[] = [];
  const running = new Set<Promise<void>>();
  const began = performance.now();
  for (const { at, activity } of timetable(phase)) {
    await sleep(Math.max(0, began + at - performance.now()));
    while (running.size >= mostAtOnce) await Promise.race(running);
    const doing = activity === 'order' ? doings.order(phase.lines) : doings.act(activity);
    const work = doing.then(
      () => {
        counts[activity] = (counts[activity] ?? 0) + 1;
      },
      (error: Error) => void failures.push(error.message),
    );
    running.add(work);
    void work.finally(() => running.delete(work));
  }
  await Promise.all(running);
  // A phase without work lasts all the same.
  await sleep(Math.max(0, began + 1_000 * phase.seconds - performance.now()));
  const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (failures.length > mostFailures * done)
    throw new Error(`${phase.name}: ${failures.length} failed: ${failures[0]}`);
  return { ...counts, ...(counts.order && phase.lines > 1 ? { line: counts.order * (phase.lines - 1) } : {}) };
}

/** What is done when, in milliseconds from the beginning. */
function timetable({ rates, seconds }: Phase) {
  return activities
    .filter(activity => activity !== 'line')
    .flatMap(activity => {
      const times = Math.round((rates[activity] ?? 0) * seconds);
      return Array.from({ length: times }, (_, n) => ({ activity, at: (1_000 * seconds * (n + 0.5)) / times }));
    })
    .sort((a, b) => a.at - b.at);
}
