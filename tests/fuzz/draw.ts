import { seeded } from '@tradepost/shared/testing/seeded';

/** What a case is drawn with: the same seed and number draw the same case. */
export interface Draw {
  /** Uniform in [0, 1). */
  random(): number;
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  pick<T>(values: readonly T[]): T;
  chance(probability: number): boolean;
}

/** The draw of one case of a run. */
export function drawOf(seed: number, index: number): Draw {
  const random = seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const below = (limit: number) => Math.floor(random() * limit);
  return {
    random,
    below,
    pick: values => values[below(values.length)] as never,
    chance: probability => random() < probability,
  };
}
