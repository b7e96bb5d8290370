import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDocumentStoreThread } from '@tradepost/local/store/documentStoreThread';
import { seeded } from '@tradepost/shared/testing/seeded';
import { openBooks } from './books.ts';
import type { Armed } from './failpoints.ts';
import { buy, pause, plan, populate } from './load.ts';
import { seed } from './races.testing.ts';
import { leaseMs, type ShopProcess, scratchFolder, startShopProcess } from './shopProcess.ts';
import { insist, settleMs, timeLimit, verify } from './verify.ts';

/** In which the frozen shop's workers go on afterwards, as if nothing had happened. */
const points = ['order.saga.afterReserve', 'order.saga.beforeCharge', 'order.append.before.PaymentCaptured'];

process.stdout.write(`seed ${seed}\n`);
const random = seeded(seed);
const folder = scratchFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
const store = await startDocumentStoreThread({
  path: join(folder, 'store.db'),
  port: 0,
  onCrash(error) {
    throw error;
  },
});
after(() => store.close());
const settings = { MONGODB_URI: store.uri('') };

/** A shop on the common store; the same secrets and the same administrator make them one. */
async function open(name: string): Promise<ShopProcess> {
  const dataDir = join(folder, name);
  mkdirSync(dataDir);
  if (name !== 'first') {
    for (const file of ['secrets.json', 'admin.json']) copyFileSync(join(folder, 'first', file), join(dataDir, file));
  }
  const shop = await startShopProcess(dataDir, { settings, seed });
  after(() => shop.kill());
  return shop;
}

const first = await open('first');
const second = await open('second');
const books = await openBooks(store.uri(''));
after(() => books.close());
const world = await populate(first);

for (const [index, point] of points.entries()) {
  test(`one of two shops stands still at ${point}; the other finishes its orders, and it does nothing twice`, async () => {
    const arm: Armed = { point, hit: 2, fault: 'freeze' };
    const frozen = first.frozen();
    first.order({ arm });
    const purchases = [...plan(world, random, `${index}-a`), ...plan(world, random, `${index}-b`)];
    const work = purchases.map((purchase, n) => buy(n % 2 ? first : second, world, purchase));
    await frozen;
    await pause(2 * leaseMs);
    await insist(second, world, purchases, timeLimit(second, settleMs));
    first.process.kill('SIGCONT');
    await Promise.all(work);
    assert.deepEqual(await verify(second, world, purchases, books), []);
  });
}
