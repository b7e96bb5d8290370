import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { serviceNames } from '@tradepost/shared/discovery';
import { root } from '../architecture/sourceFiles.ts';
import { type Release, readingRelease, runIn } from './releases.ts';
import { type SideBySide, startSideBySide } from './sideBySide.ts';

describe('a release that reads a changed event and message, and writes them as before', () => {
  const released: Release = { name: 'released', root };
  let reading: Release;
  let sides: SideBySide;
  before(async () => {
    reading = await readingRelease();
    sides = await startSideBySide(released);
  });
  after(async () => {
    await sides?.close();
    if (reading) rmSync(reading.root, { recursive: true, force: true });
  });
  afterEach(() => assert.deepEqual(sides.shop.ownFaults(), []));

  test('was made by the rules: it passes the checks of types and schemas', async () => {
    await runIn(reading.root, ['node_modules/typescript/bin/tsc', '--noEmit']);
    await runIn(reading.root, [
      'tests/run.ts',
      'local/asyncapi/*.test.ts',
      'order-service/src/{domain,events}/*.test.ts',
    ]);
  });

  test('takes the place of the one before, instance by instance', async () => {
    await sides.move('upgrade to a release that reads what is new', reading, serviceNames);
    await sides.rebuildViews([released, reading]);
  });

  test('and gives it back', async () => {
    await sides.replace(sides.shop.instances('gateway')[0]!, reading);
    await sides.move('downgrade from a release that reads what is new', released, serviceNames);
    await sides.rebuildViews([released, reading]);
    assert.deepEqual([await sides.commitsIn(2), Object.keys(sides.heard)], [0, ['1']], 'all was written as before');
  });
});
