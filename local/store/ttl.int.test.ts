import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import mongoose from 'mongoose';
import { type DocumentStore, startDocumentStore } from './documentStore.ts';

const { MongoClient } = mongoose.mongo;
type Documents = mongoose.mongo.Collection<{ _id: number | string; [field: string]: unknown }>;

async function withCollection<T>(store: DocumentStore, run: (c: Documents) => Promise<T>): Promise<T> {
  const client = await MongoClient.connect(store.uri('test'), { serverSelectionTimeoutMS: 2000 });
  try {
    return await run(client.db().collection('c'));
  } finally {
    await client.close();
  }
}

describe('TTL indexes', () => {
  it('delete what has expired, by the clock they are given', async () => {
    let now = new Date('2024-01-01T00:00:00Z');
    const store = await startDocumentStore({ memory: true, port: 0, clock: () => now, ttlIntervalMs: 0 });
    await withCollection(store, async c => {
      await c.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
      await c.createIndex({ until: 1 }, { expireAfterSeconds: 0, partialFilterExpression: { open: true } });
      await c.insertMany([
        { _id: 'now', at: now },
        { _id: 'later', at: new Date(now.getTime() + 30_000) },
        { _id: 'list', at: [new Date('2030-01-01'), now] },
        { _id: 'text', at: '2000-01-01' },
        { _id: 'none' },
        { _id: 'open', until: now, open: true },
        { _id: 'closed', until: now, open: false },
      ]);
      assert.equal(await store.sweepExpired(), 1);
      now = new Date('2024-01-01T00:01:00Z');
      assert.equal(await store.sweepExpired(), 2);
      assert.deepEqual(
        (await c.find().toArray()).map(d => d._id),
        ['later', 'text', 'none', 'closed'],
      );
      now = new Date('2024-01-01T00:01:30Z');
      assert.equal(await store.sweepExpired(), 1);
      assert.equal(await store.sweepExpired(), 0);
    });
    await store.close();
  });

  it('delete many', async () => {
    const store = await startDocumentStore({ memory: true, port: 0, ttlIntervalMs: 0 });
    await withCollection(store, async c => {
      await c.createIndex({ at: 1 }, { expireAfterSeconds: 1 });
      await c.insertMany(Array.from({ length: 2500 }, (_, _id) => ({ _id, at: new Date(0) })));
      assert.equal(await store.sweepExpired(), 2500);
      assert.equal(await c.countDocuments(), 0);
    });
    await store.close();
  });

  it('are swept from time to time', async () => {
    const store = await startDocumentStore({ memory: true, port: 0, ttlIntervalMs: 5 });
    await withCollection(store, async c => {
      await c.createIndex({ at: 1 }, { expireAfterSeconds: 0 });
      await c.insertOne({ _id: 1, at: new Date(0) });
      while ((await c.countDocuments()) > 0) await new Promise(resolve => setTimeout(resolve, 5));
    });
    await store.close();
  });
});
