import { type Activity, activities, amountOf, type Quantity, sumOf, type Usage } from '@tradepost/local/capacity/usage';
import { median } from '../measure.ts';
import type { Counts } from './phases.ts';
import { solve } from './solve.ts';

/** What a phase did and used. */
export interface Observation {
  counts: Counts;
  seconds: number;
  usage: Usage;
}

/** What a second costs in which nothing is done, and what each thing done costs beside it. */
export interface Costs {
  idle: Usage;
  activities: Record<Activity, Usage>;
}

/** Tells from observations what everything costs, by least squares. Costs below nothing, which are noise, are nothing. */
export function costsOf(observations: readonly Observation[]): Costs {
  const rows = observations.map(({ counts, seconds }) => [seconds, ...activities.map(name => counts[name] ?? 0)]);
  const costs: Costs = { idle: {}, activities: emptyCosts() };
  const of = [costs.idle, ...activities.map(name => costs.activities[name])];
  for (const [quantity, parts] of partsOf(observations.map(({ usage }) => usage))) {
    for (const part of parts) {
      const found = solve(
        rows,
        observations.map(({ usage }) => amountOf(usage, quantity, part)),
      );
      for (const [index, amount] of found.entries()) {
        const usage = of[index] as Usage;
        usage[quantity] = { ...usage[quantity], [part]: Math.max(0, amount) };
      }
    }
  }
  return costs;
}

/** What the costs say that work uses. */
export const predict = (costs: Costs, { counts, seconds }: Pick<Observation, 'counts' | 'seconds'>): Usage =>
  sumOf([
    { usage: costs.idle, times: seconds },
    ...activities.map(name => ({ usage: costs.activities[name], times: counts[name] ?? 0 })),
  ]);

/** The middle of each amount. */
export function middleCosts(all: readonly Costs[]): Costs {
  const activitiesOf = (name: Activity) => middleUsage(all.map(costs => costs.activities[name]));
  return {
    idle: middleUsage(all.map(({ idle }) => idle)),
    activities: Object.fromEntries(activities.map(name => [name, activitiesOf(name)])) as Costs['activities'],
  };
}

export function middleUsage(all: readonly Usage[]): Usage {
  const middle: Usage = {};
  for (const [quantity, parts] of partsOf(all)) {
    middle[quantity] = Object.fromEntries(
      [...parts].map(part => [part, median(all.map(usage => amountOf(usage, quantity, part)))]),
    );
  }
  return middle;
}

function partsOf(all: readonly Usage[]): Map<Quantity, Set<string>> {
  const found = new Map<Quantity, Set<string>>();
  for (const [quantity, parts] of all.flatMap(usage => Object.entries(usage) as [Quantity, Record<string, number>][])) {
    found.set(quantity, new Set([...(found.get(quantity) ?? []), ...Object.keys(parts)]));
  }
  return found;
}

const emptyCosts = () => Object.fromEntries(activities.map(name => [name, {}])) as Record<Activity, Usage>;
