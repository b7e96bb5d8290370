import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { easyRate } from '../real/load.ts';
import { type RealShop, startRealShop } from '../real/realShop.ts';
import { startRabbit, type TestServer } from '../real/servers.ts';
import { isShort, underLoad } from './failing.ts';
import { type ReplicaSet, startReplicaSet } from './replicaSet.ts';

const kills = isShort ? 2 : 10;
/** How long the others work without the one that was killed. */
const awayMs = 3_000;

describe('three databases as a replica set, of which the primary is killed', () => {
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

  for (let nth = 1; nth <= kills; nth += 1) {
    test(`every order is as its customer was told, the ${nth}. time`, async () => {
      await underLoad(shop, rate, `primary killed, ${nth} of ${kills}`, async () => {
        const old = await set.primary();
        await old.kill();
        const electedMs = Math.round(await set.untilReplaced(old));
        await sleep(awayMs);
        await old.start();
        await set.untilWhole();
        return { electedMs };
      });
    });
  }

  test('what only the killed one had is taken back, and nobody was told of it', async () => {
    await underLoad(shop, rate, 'primary killed alone with its writes', async () => {
      const old = await set.primary();
      const others = set.members.filter(member => member !== old);
      // Killed and not frozen: what is sent to a frozen one waits for it, and is there when it goes on.
      for (const one of others) await one.kill();
      const marks = markers(old);
      const { acknowledged } = await marks.insert('lost');
      await old.kill();
      for (const one of others) await one.start();
      const electedMs = Math.round(await set.untilReplaced(old));
      await old.start();
      await set.untilWhole();
      const isLeft = await marks.has('lost');
      await marks.close();
      assert.deepEqual([acknowledged, isLeft], [true, false], 'it was there, and was rolled back');
      return { electedMs };
    });
  });
});

/** Documents that a server alone has acknowledged, as a shop never takes for done. */
function markers(server: TestServer) {
  const client = new mongoose.mongo.MongoClient(server.url, { directConnection: true });
  const collection = client.db('markers').collection<{ _id: string }>('markers');
  return {
    insert: (_id: string) => collection.insertOne({ _id }, { writeConcern: { w: 1, journal: true } }),
    has: async (_id: string) => (await collection.findOne({ _id }, { readPreference: 'nearest' })) !== null,
    close: () => client.close(),
  };
}
