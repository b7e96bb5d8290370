import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection, isDatabaseUnavailable } from '@tradepost/shared/mongo';
import type { mongo } from 'mongoose';
import { easyRate } from '../real/load.ts';
import { type RealShop, startRealShop } from '../real/realShop.ts';
import { startRabbit, type TestServer } from '../real/servers.ts';
import { isShort, underLoad } from './failing.ts';
import { type ReplicaSet, startReplicaSet } from './replicaSet.ts';

const freezes = isShort ? 1 : 5;
/** How long the others work without the one that is frozen, which takes itself for the primary when it goes on. */
const awayMs = 3_000;

describe('three databases as a replica set, of which some freeze', () => {
  let [set, rabbit, shop]: [ReplicaSet, TestServer, RealShop] = [] as never;
  let rate = 0;
  before(async () => {
    set = await startReplicaSet();
    rabbit = await startRabbit();
    shop = await startRealShop({ mongodbUri: set.url, rabbitmqUrl: rabbit.url, scale: 'order-service=2' });
    rate = await easyRate(shop, 20);
  });
  after(async () => {
    await shop?.stop();
    await Promise.all([set?.close(), rabbit?.close()]);
  });
  // A test that failed half-way leaves nothing to the next.
  afterEach(async () => {
    for (const member of set.members) await member.revive();
    await set.untilWhole();
  });

  for (let nth = 1; nth <= freezes; nth += 1) {
    test(`the primary freezes and goes on when there is another, the ${nth}. time`, async () => {
      await underLoad(shop, rate, `primary frozen, ${nth} of ${freezes}`, async () => {
        const old = await set.primary();
        old.signal('SIGSTOP');
        const electedMs = Math.round(await set.untilReplaced(old));
        await sleep(awayMs);
        old.signal('SIGCONT');
        await set.untilWhole();
        return { electedMs };
      });
    });
  }

  test('without a majority every kind of write is an unknown outcome, and no order is told to be done', async () => {
    const connection = await createConnection(set.url.replace('/?', '/unconfirmed?')).asPromise();
    const collection = connection.db!.collection<Marked>('documents');
    await collection.insertMany([{ _id: 'known' }, { _id: 'other' }]);
    await underLoad(shop, rate, 'no majority', async () => {
      const primary = await set.primary();
      const others = set.members.filter(member => member !== primary);
      for (const one of others) one.signal('SIGSTOP');
      const outcomes = await Promise.all(writes(collection).map(([name, write]) => outcomeOf(name, write)));
      for (const one of others) one.signal('SIGCONT');
      await set.untilWhole();
      assert.deepEqual(
        outcomes,
        writes(collection).map(([name]) => `${name}: unknown`),
      );
      return {};
    });
    await connection.close();
  });
});

interface Marked {
  _id: string;
  n?: number;
}

/** Writes of every kind that services make. */
function writes(documents: mongo.Collection<Marked>): [name: string, () => Promise<unknown>][] {
  const [known, more] = [{ _id: 'known' }, { $inc: { n: 1 } }];
  return [
    ['insertOne', () => documents.insertOne({ _id: 'new' })],
    ['insertOne of what is there', () => documents.insertOne({ ...known })],
    [
      'insertMany of which one is there',
      () => documents.insertMany([{ ...known }, { _id: 'newer' }], { ordered: false }),
    ],
    ['updateOne', () => documents.updateOne(known, more)],
    ['updateOne that matches nothing', () => documents.updateOne({ _id: 'nobody' }, more)],
    ['upsert', () => documents.updateOne({ _id: 'newest' }, more, { upsert: true })],
    ['updateMany', () => documents.updateMany({}, more)],
    ['findOneAndUpdate', () => documents.findOneAndUpdate(known, more)],
    ['bulkWrite', () => documents.bulkWrite([{ updateOne: { filter: known, update: more } }], { ordered: false })],
    ['deleteMany', () => documents.deleteMany({ _id: 'other' })],
  ];
}

async function outcomeOf(name: string, write: () => Promise<unknown>): Promise<string> {
  try {
    await write();
    return `${name}: done`;
  } catch (error) {
    return isDatabaseUnavailable(error) ? `${name}: unknown` : `${name}: ${error}`;
  }
}
