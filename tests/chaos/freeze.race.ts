import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openLane } from './lane.ts';
import { seed } from './races.testing.ts';

/** Between an effect and the write that tells of it, a worker that slept through its lease can do most harm. */
const points = ['order.saga.afterCharge', 'order.append.before.PaymentCaptured', 'inventory.commit.afterWrite'];

process.stdout.write(`seed ${seed}\n`);
const lane = await openLane();
after(() => lane.close());

for (const [index, point] of points.entries()) {
  test(`a shop that stands still at ${point} for longer than every lease does nothing twice`, async () => {
    const trial = { point, hit: 2, fault: 'freeze', seed: seed + index } as const;
    const { freezes, violations } = await lane.run(trial, `freeze-${index}`);
    assert.deepEqual(violations, []);
    assert.equal(freezes, 1);
  });
}

test('afterwards every message was handled', async () => {
  assert.deepEqual(await lane.finish(), []);
});
