import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import mongoose from 'mongoose';
import { type DocumentStore, type DocumentStoreOptions, startDocumentStore } from './documentStore.ts';
import { startDocumentStoreThread } from './documentStoreThread.ts';

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

describe('document store', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'store-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const starts: [string, (o: DocumentStoreOptions) => Promise<DocumentStore>][] = [
    ['in this thread', startDocumentStore],
    ['in a thread of its own', ({ clock: _, ...options }) => startDocumentStoreThread(options)],
  ];
  for (const [name, start] of starts) {
    it(`${name} keeps documents and indexes over a restart`, async () => {
      const path = join(folder, `restart ${name}.db`);
      const first = await start({ path, port: 0 });
      await withCollection(first, async c => {
        await c.createIndex({ sku: 1 }, { unique: true });
        await c.createIndex({ tags: 1 });
        await c.insertMany([
          { _id: 1, sku: 'a', tags: ['x', 'y'] },
          { _id: 2, sku: 'b', tags: [] },
        ]);
      });
      await first.close();
      const second = await start({ path, port: 0 });
      try {
        await withCollection(second, async c => {
          assert.deepEqual(await c.findOne({ tags: 'y' }), { _id: 1, sku: 'a', tags: ['x', 'y'] });
          assert.equal((await c.indexes()).length, 3);
          await assert.rejects(c.insertOne({ _id: 3, sku: 'b' }), { code: 11000 });
          // The index still knows that it met arrays: bounds on two elements must not be intersected.
          assert.equal(await c.countDocuments({ tags: { $gt: 'x', $lt: 'y' } }), 1);
          await c.insertOne({ _id: 3, sku: 'c' });
        });
      } finally {
        await second.close();
      }
    });

    it(`${name} keeps nothing with memory: true`, async () => {
      const first = await start({ memory: true, port: 0 });
      await withCollection(first, c => c.insertOne({ _id: 1 }));
      await first.close();
      const second = await start({ memory: true, port: 0 });
      assert.equal(await withCollection(second, c => c.countDocuments()), 0);
      await second.close();
      assert.deepEqual(await stat(join(process.cwd(), ':memory:')).catch(() => undefined), undefined);
    });

    it(`${name} says that the port is in use`, async () => {
      const taken = createServer();
      await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
      const { port } = taken.address() as { port: number };
      const message = `the document store cannot listen on 127.0.0.1:${port}: the port is in use`;
      await assert.rejects(start({ memory: true, port }), { code: 'EADDRINUSE', message });
      await new Promise(resolve => taken.close(resolve));
    });

    it(`${name} says that another store has the file`, async () => {
      const path = join(folder, `locked ${name}.db`);
      const first = await start({ path, port: 0 });
      const message = `cannot open the document store ${path}: another process has it open`;
      await assert.rejects(start({ path, port: 0 }), { message });
      await first.close();
      await (await start({ path, port: 0 })).close();
    });

    it(`${name} says why a file cannot be used`, async () => {
      const missing = join(folder, 'no', 'such', 'folder.db');
      await assert.rejects(start({ path: missing, port: 0 }), {
        message: /cannot open the document store .*folder\.db: it cannot be opened/,
      });
      await assert.rejects(start({ path: folder, port: 0 }), { message: /: it cannot be opened/ });
      const text = join(folder, `text ${name}.db`);
      await writeFile(text, 'this is not a database, and long enough to be looked at'.repeat(20));
      await assert.rejects(start({ path: text, port: 0 }), { message: /it is not a document store file/ });
    });
  }

  it('closes while requests are under way', async () => {
    const store = await startDocumentStore({ memory: true, port: 0 });
    const client = await MongoClient.connect(store.uri('test'));
    const writes = Array.from({ length: 50 }, (_, i) =>
      client
        .db()
        .collection('c')
        .insertOne({ i })
        .catch(() => 'lost'),
    );
    await store.close();
    await client.close(true);
    await Promise.all(writes);
  });

  it('tells when its thread is gone', async () => {
    const crashed = Promise.withResolvers<Error>();
    const store = await startDocumentStoreThread({ memory: true, port: 0, maxHeapMb: 24, onCrash: crashed.resolve });
    const endless = {
      $map: { input: { $range: [0, 999_999] }, in: { $map: { input: { $range: [0, 999] }, in: {} } } },
    };
    const explode = withCollection(store, async c => {
      await c.insertOne({ _id: 1 });
      await c.aggregate([{ $project: { endless } }]).toArray();
    });
    await assert.rejects(explode);
    assert.match((await crashed.promise).message, /^the document store's thread ended/);
    await assert.rejects(store.sweepExpired(), /thread ended/);
    await store.close();
  });
});
