import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordFigures, startLoad } from '../real/load.ts';
import { type RealShop, settled } from '../real/realShop.ts';

/** Whether little is killed and frozen, to be told in minutes that all of it works. */
export const isShort = process.env.TEST_CLUSTER_SHORT === 'true';

/** Milliseconds of load before a fault and after it is over. */
const aroundMs = 3_000;
/** Within which all that was begun must be at its end once the fault is over. */
const settleLimitMs = 120_000;

/**
 * Lets customers order, and some cancel, while something fails. Afterwards every order that was accepted is there in the
 * state that its customer was told, the books are clean, and nothing was answered by a 500.
 * @param fail does it, and what mends it
 * @returns what customers saw
 */
export async function underLoad(
  shop: RealShop,
  rate: number,
  test: string,
  fail: () => Promise<Record<string, number>>,
) {
  await using load = await startLoad(shop, rate, { cancelOneIn: 5 });
  await sleep(aroundMs);
  const figures = await fail();
  await sleep(aroundMs);
  const report = await load.finish();
  const settledMs = Math.round(await settled(shop, settleLimitMs));
  recordFigures(test, report, { rate, ...figures, settledMs });
  assert.deepEqual(report.broken, []);
  assert.ok(report.orders > 0);
  assert.deepEqual(shop.ownFaults(), []);
  return report;
}
