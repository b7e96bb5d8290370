import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../architecture/sourceFiles.ts';
import { easyRate, expectNoFailure, recordFigures, startLoad } from './load.ts';
import { settled, until } from './realShop.ts';
import { type Release, readingRelease, writingRelease } from './releases.ts';
import { type SideBySide, settledMs, startSideBySide } from './sideBySide.ts';

describe('a release that writes what the one before can read', () => {
  let [reading, writing]: (Release | undefined)[] = [];
  let sides: SideBySide;
  before(async () => {
    reading = await readingRelease();
    writing = await writingRelease();
    sides = await startSideBySide(reading);
  });
  after(async () => {
    await sides?.close();
    for (const release of [reading, writing]) if (release) rmSync(release.root, { recursive: true, force: true });
  });
  afterEach(() => assert.deepEqual(sides.shop.ownFaults(), []));

  test('takes its place, instance by instance', async () => {
    await sides.move('upgrade to a release that writes what is new', writing!, ['user-service', 'order-service']);
    const { heard } = sides;
    assert.ok((await sides.commitsIn(2)) > 0 && (heard[1] ?? 0) > 0 && (heard[2] ?? 0) > 0, 'old and new was written');
    await sides.rebuildViews([reading!, writing!]);
  });

  test('and gives it back', async () => {
    await sides.move('downgrade from a release that writes what is new', reading!, ['order-service', 'user-service']);
    await sides.rebuildViews([reading!, writing!]);
  });

  test('but the release before both does not start any more, and says why, while the shop goes on', async () => {
    const { shop } = sides;
    const [instance] = shop.instances('order-service');
    const rate = await easyRate(shop, 4);
    await using load = await startLoad(shop, rate);
    const restarts = instance!.process.restarts();
    sides.plan(instance!, { name: 'released', root });
    instance!.process.signal('SIGTERM');
    const refusal = 'written by a later release: this one cannot read OrderCreated in schema 2';
    await until(() => shop.log().includes(refusal), settledMs, shop.log);
    await sleep(2_000);
    const refusedStarts = instance!.process.restarts() - restarts;
    sides.plan(instance!, reading!);
    await sides.known('order-service');
    const report = await load.finish();
    const took = Math.round(await settled(shop, settledMs));
    recordFigures('a release too far back', report, { refusedStarts, settledMs: took });
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, rate, report);
  });
});
