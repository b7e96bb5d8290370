import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@tradepost/shared/logger';
import { createTeardown } from './teardown.ts';

test('what was begun last ends first; what fails or sticks holds up nothing', async () => {
  const [ended, logged]: string[][] = [[], []];
  const teardown = createTeardown(createLogger('shop', 'warn', { write: line => logged?.push(JSON.parse(line).msg) }));
  teardown.add('store', 1_000, async () => ended?.push('store'));
  teardown.add('bus', 20, () => new Promise(() => {}));
  teardown.add('service', 1_000, () => Promise.reject(new Error('no')));
  teardown.add('gateway', 1_000, async () => ended?.push('gateway'));
  await teardown.run();
  assert.deepEqual(ended, ['gateway', 'store']);
  assert.deepEqual(logged, ['service did not stop cleanly', 'bus did not stop within 20 ms']);
  await teardown.run();
  assert.deepEqual(ended, ['gateway', 'store']);
});
