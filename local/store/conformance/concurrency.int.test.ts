import assert from 'node:assert/strict';
import { it } from 'node:test';
import mongoose from 'mongoose';
import { type Collection, conformance, type Suite } from './servers.ts';

const times = <T>(n: number, run: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => run(i)));

conformance('concurrency', suite => {
  it('lets exactly one of many conditional updates win', async () => {
    const c = await suite.collection([{ _id: 1, owner: null }]);
    const results = await times(40, i => c.updateOne({ _id: 1, owner: null }, { $set: { owner: i } }));
    assert.equal(results.filter(r => r.modifiedCount === 1).length, 1);
    assert.equal(results.filter(r => r.matchedCount === 1).length, 1);
  });

  it('never sells more than there is', async () => {
    const c = await suite.collection([{ _id: 'sku', available: 50, sold: 0, holds: [] }]);
    const results = await times(200, i =>
      c.findOneAndUpdate(
        { _id: 'sku', available: { $gte: 1 }, 'holds.order': { $ne: i % 100 } },
        { $inc: { available: -1, sold: 1 }, $push: { holds: { order: i % 100 } as never } },
      ),
    );
    const found = (await c.findOne({ _id: 'sku' }))!;
    assert.deepEqual([found.available, found.sold, found.holds.length], [0, 50, 50]);
    assert.equal(results.filter(Boolean).length, 50);
    assert.equal(new Set(found.holds.map((h: { order: number }) => h.order)).size, 50);
  });

  it('lets exactly one of many inserts of a unique value win', async () => {
    const c = await suite.collection([]);
    await c.createIndex({ order: 1, version: 1 }, { unique: true });
    const results = await times(40, i =>
      c.insertOne({ order: 'o', version: 1, by: i }).then(
        () => 'won',
        error => error.code,
      ),
    );
    assert.equal(results.filter(r => r === 'won').length, 1);
    assert.equal(results.filter(r => r === 11000).length, 39);
  });

  it('inserts once for many upserts of one document', async () => {
    const c = await suite.collection([]);
    const count = () => c.updateOne({ _id: 'counter' }, { $inc: { n: 1 } }, { upsert: true });
    const results = await times(40, () =>
      count().catch(error => {
        // Two upserts of the server may both find nothing; the later one is a duplicate and is tried again.
        assert.equal(error.code, 11000);
        return count();
      }),
    );
    assert.equal(results.filter(r => r.upsertedCount === 1).length, 1);
    assert.equal((await c.findOne({ _id: 'counter' }))!.n, 40);
  });

  it('loses no increment', async () => {
    const c = await suite.collection([{ _id: 1, n: 0 }]);
    await times(30, async () => {
      for (let i = 0; i < 10; i++) await c.updateOne({ _id: 1 }, { $inc: { n: 1 } });
    });
    assert.equal((await c.findOne())!.n, 300);
  });

  it('hands out each job once', async () => {
    const c = await suite.collection(Array.from({ length: 60 }, (_, _id) => ({ _id, state: 'new' })));
    await c.createIndex({ state: 1, _id: 1 });
    const taken: unknown[] = [];
    await times(8, async worker => {
      for (;;) {
        const job = await c.findOneAndUpdate(
          { state: 'new' },
          { $set: { state: 'taken', worker } },
          { sort: { _id: 1 } },
        );
        if (!job) return;
        taken.push(job._id);
      }
    });
    assert.equal(new Set(taken).size, 60);
    assert.equal(taken.length, 60);
  });

  it('reads what was written before, over other connections', async () => {
    const c = await suite.collection([]);
    const other = await secondClient(suite, c);
    try {
      for (let i = 0; i < 30; i++) {
        await c.insertOne({ _id: i });
        assert.equal((await other.collection.findOne({ _id: i }))?._id, i);
      }
    } finally {
      await other.close();
    }
  });

  async function secondClient({ uri }: Suite, { dbName, collectionName }: Collection) {
    const client = await mongoose.mongo.MongoClient.connect(uri());
    return { collection: client.db(dbName).collection<{ _id: number }>(collectionName), close: () => client.close() };
  }
});
