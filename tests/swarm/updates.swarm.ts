import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, until } from '../compose/engine.ts';
import { settled, shop } from '../compose/shop.ts';
import { expectNoFailure, recordFigures, startLoad } from '../real/load.ts';
import { tasksOf, update, updateOf } from './stack.ts';

const ordersPerSecond = 2;
const updated = ['gateway', 'order-service', 'inventory-service'];
const made: string[] = [];

/** Builds an image over another one. */
function build(image: string, from: string, instructions: string): string {
  const { status, stderr } = spawnSync('docker', ['build', '--tag', image, '-'], {
    input: `FROM ${from}\n${instructions}\n`,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  made.push(image);
  return image;
}

after(async () => {
  // Those that the stack still runs go with the next build.
  for (const image of made) await docker('image', 'rm', '--force', image).catch(() => {});
});

/** Waits until an update has ended. @returns how */
async function ended(service: string): Promise<string> {
  const look = () => updateOf(service);
  await until(async () => /completed|paused/.test((await look()).state), 280_000, look);
  return (await look()).state;
}

describe('an update under load fails no request:', () => {
  for (const service of updated) {
    test(service, async () => {
      const old = await tasksOf(service);
      const image = build(`tradepost/${service}:test-next`, `tradepost/${service}`, 'LABEL version=next');
      await using load = await startLoad(shop, ordersPerSecond);
      await sleep(2_000);
      const began = performance.now();
      await update(service, '--image', image);
      assert.equal(await ended(service), 'completed');
      const tookMs = Math.round(performance.now() - began);
      await sleep(2_000);
      const report = await load.finish();
      const settledMs = Math.round(await settled(120_000));
      recordFigures(`update of ${service}`, report, { tookMs, settledMs });
      const now = await tasksOf(service);
      assert.deepEqual(
        now.map(task => task.image),
        old.map(() => image),
      );
      assert.deepEqual(report.broken, []);
      await expectNoFailure(shop, ordersPerSecond, report);
    });
  }
});

describe('a version that never becomes healthy', () => {
  const service = 'order-service';
  let image: string;
  before(() => {
    image = build(`tradepost/${service}:test-broken`, `tradepost/${service}`, 'CMD ["sleep", "infinity"]');
  });

  test('is taken back by the Swarm, and no request fails', async () => {
    const old = await tasksOf(service);
    const { image: good } = await updateOf(service);
    await using load = await startLoad(shop, ordersPerSecond);
    await sleep(2_000);
    const began = performance.now();
    // With less patience than the stack has, as the test's own is limited.
    await update(service, '--image', image, '--health-start-period', '20s', '--health-retries', '3');
    assert.equal(await ended(service), 'rollback_completed');
    const tookMs = Math.round(performance.now() - began);
    const report = await load.finish();
    const settledMs = Math.round(await settled(120_000));
    recordFigures('a broken version', report, { tookMs, settledMs });
    assert.equal((await updateOf(service)).image, good);
    const now = await tasksOf(service);
    assert.deepEqual(now.map(({ id }) => id).toSorted(), old.map(({ id }) => id).toSorted());
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, ordersPerSecond, report);
  });
});
