import { seeded } from '@tradepost/shared/testing/seeded';
import { type Armed, failpoints } from './failpoints.ts';

/** A fault at a point, under load; then every promise is checked. */
export interface Trial extends Armed {
  /** What the trial's own random choices derive from. */
  seed: number;
  /** A second kill while the shop recovers: at this point, or after the time if it is not reached. */
  again?: { point: string; hit: number; withinMs: number };
}

const seedOf = (random: () => number): number => Math.floor(random() * 2 ** 32);

/** A kill at the first hit of each of these points. */
export function everyPoint(points: readonly string[], seed: number): Trial[] {
  const random = seeded(seed);
  return points.map(point => ({ point, hit: 1, fault: 'kill', seed: seedOf(random) }));
}

/** Longest that a recovering shop waits for its second kill, in milliseconds. */
const longestWaitMs = 1_000;

/** Points, hits and faults drawn by the seed: a quarter is killed twice, a sixth frozen instead of killed. */
export function drawTrials(count: number, seed: number): Trial[] {
  const random = seeded(seed);
  const anyPoint = () => failpoints[Math.floor(random() * failpoints.length)] as string;
  const anyHit = (most: number) => 1 + Math.floor(random() * most);
  return Array.from({ length: count }, () => {
    const trial = { point: anyPoint(), hit: anyHit(5), seed: seedOf(random) };
    if (random() < 1 / 6) return { ...trial, fault: 'freeze' };
    if (random() > 0.3) return { ...trial, fault: 'kill' };
    return {
      ...trial,
      fault: 'kill',
      again: { point: anyPoint(), hit: anyHit(3), withinMs: Math.floor(random() * longestWaitMs) },
    };
  });
}

export const nameOf = ({ point, hit, fault, again }: Trial): string =>
  `${fault} at ${point} ×${hit}${again ? `, again at ${again.point} ×${again.hit} or after ${again.withinMs} ms` : ''}`;
