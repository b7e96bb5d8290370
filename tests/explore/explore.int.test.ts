import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exploreSchedules } from './pool.ts';

const seed = Number(process.env.SEED ?? 20_261_122);
const schedules = Number(process.env.SCHEDULES ?? 2_000);

it(`keeps every promise in ${schedules} schedules from seed ${seed} on`, async () => {
  for await (const { seed: own, violations, trace } of exploreSchedules(seed, schedules)) {
    assert.deepEqual(violations, [], `${trace.join('\n')}\nnpm run explore -- --seed ${own} --schedules 1`);
  }
});

it('replays a schedule by its seed, whatever its thread has done before', async () => {
  const traces = async (from: number, count: number) =>
    (await Array.fromAsync(exploreSchedules(from, count, 1))).map(one => one.trace);
  assert.deepEqual(await traces(seed + 3, 3), (await traces(seed, 6)).slice(3));
});
