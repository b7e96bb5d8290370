import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceNames } from '@tradepost/shared/discovery';
import { recordFigures, startLoad } from '../real/load.ts';
import { containers, crash, until } from './engine.ts';
import { allWell, isWell, settled, shop } from './shop.ts';

const ordersPerSecond = 1;
/** Those that TEST_VICTIMS names, separated by commas, or all. */
const victims = [
  ...serviceNames,
  'gateway',
  ...serviceNames.map(name => name.replace('-service', '-db')),
  'rabbitmq',
  'consul',
].filter(name => process.env.TEST_VICTIMS?.split(',').includes(name) ?? true);

describe('killed under load, comes back by itself and loses nothing:', () => {
  for (const victim of victims) {
    test(victim, async () => {
      await allWell(180_000);
      const load = await startLoad(shop, ordersPerSecond);
      await sleep(2_000);
      const [before] = await containers(victim);
      assert.ok(before);
      await crash(before.id);
      const find = async () => (await containers(victim)).find(one => one.id === before.id);
      await until(
        async () => {
          const now = await find();
          return now !== undefined && now.restarts > before.restarts && isWell(now);
        },
        120_000,
        find,
      );
      await sleep(1_000);
      const report = await load.finish();
      const settledMs = Math.round(await settled(90_000));
      recordFigures(`killed ${victim}`, report, { settledMs });
      assert.deepEqual(report.broken, []);
      assert.ok(report.orders > 3);
    });
  }
});
