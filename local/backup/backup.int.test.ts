import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import mongoose from 'mongoose';
import { type DocumentStore, startDocumentStore } from '../store/documentStore.ts';
import { backupDatabase } from './backup.ts';
import { databaseAddress } from './manifest.ts';
import { restoreDatabase } from './restore.ts';

const { MongoClient, BSON } = mongoose.mongo;
const { Decimal128, Double, Int32, Long, ObjectId, Binary } = BSON;

describe('a backup', () => {
  let folder: string;
  let store: DocumentStore;
  let client: mongoose.mongo.MongoClient;
  let count = 0;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'backup-'));
    store = await startDocumentStore({ memory: true, port: 0 });
    client = await MongoClient.connect(store.uri('test'), { serverSelectionTimeoutMS: 5_000 });
    const things = client.db('full').collection<{ _id: unknown }>('things');
    await things.createIndex({ sku: 1 }, { unique: true, partialFilterExpression: { sku: { $exists: true } } });
    await things.createIndex({ at: 1 }, { expireAfterSeconds: 3_600, name: 'ends' });
    await things.insertMany([
      { _id: 1, sku: 'a', whole: new Int32(1), real: new Double(1), long: Long.fromString('9007199254740993') },
      { _id: 'two', sku: 'b', exact: Decimal128.fromString('1.10'), at: new Date('2026-11-23T00:00:00Z') },
      { _id: new ObjectId(), bytes: new Binary(Buffer.from([0, 1, 255])), nested: { list: [1, null, { a: [] }] } },
    ] as never);
    const many = Array.from({ length: 1_203 }, (_, n) => ({ n, text: 'x'.repeat(200) }));
    await client.db('full').collection('many/of them').insertMany(many);
    await client.db('full').createCollection('empty');
  });
  after(async () => {
    await client?.close();
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const next = () => {
    count += 1;
    return count;
  };
  const newFolder = () => join(folder, String(next()));
  const target = () => client.db(`restored-${next()}`);
  const bytesOf = async (db: mongoose.mongo.Db, name: string) =>
    (
      await db
        .collection(name)
        .find({}, { raw: true, sort: { _id: 1 } })
        .toArray()
    ).map(one => Buffer.from(one as never));
  const indexesOf = async (db: mongoose.mongo.Db, name: string) =>
    (await db.collection(name).indexes()).toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));

  test('is restored to the last byte and index', async () => {
    const out = newFolder();
    const { collections } = await backupDatabase(client.db('full'), out);
    assert.deepEqual(
      collections.map(({ name, documents }) => [name, documents]),
      [
        ['empty', 0],
        ['many/of them', 1_203],
        ['things', 3],
      ],
    );
    const db = target();
    await restoreDatabase(db, out);
    for (const { name } of collections) {
      assert.deepEqual(await bytesOf(db, name), await bytesOf(client.db('full'), name), name);
      assert.deepEqual(await indexesOf(db, name), await indexesOf(client.db('full'), name), name);
    }
    await assert.rejects(db.collection('things').insertOne({ sku: 'a' }), { code: 11_000 });
  });

  test('is not written over another', async () => {
    const out = newFolder();
    await backupDatabase(client.db('full'), out);
    const files = readdirSync(out);
    await assert.rejects(backupDatabase(client.db('full'), out), /is not empty/);
    assert.deepEqual(readdirSync(out), files);
  });

  test('is not restored into a database that holds anything', async () => {
    const out = newFolder();
    await backupDatabase(client.db('full'), out);
    const db = target();
    await db.createCollection('there');
    await assert.rejects(restoreDatabase(db, out), /is not empty, it has there/);
    assert.deepEqual(
      (await db.listCollections().toArray()).map(({ name }) => name),
      ['there'],
    );
  });

  for (const [what, damage, complaint] of [
    ['without its manifest', (out: string) => rmSync(join(out, 'manifest.json')), /holds no whole backup/],
    ['with a manifest that is none', (out: string) => writeFileSync(join(out, 'manifest.json'), '{}'), /is damaged/],
    ['without one of its files', (out: string) => rmSync(join(out, 'things.bson')), /things\.bson cannot be read/],
    [
      'that was changed',
      (out: string) => changeByte(join(out, 'things.bson')),
      /things\.bson is not as it was written/,
    ],
  ] as const) {
    test(`${what} is refused, and nothing is written`, async () => {
      const out = newFolder();
      await backupDatabase(client.db('full'), out);
      damage(out);
      const db = target();
      await assert.rejects(restoreDatabase(db, out), complaint);
      assert.deepEqual(await db.listCollections().toArray(), []);
    });
  }

  test('needs an address that names a database', () => {
    assert.equal(databaseAddress('mongodb://h:1/name?authSource=admin').name, 'name');
    for (const uri of [undefined, '', 'mongodb://h:1', 'mongodb://h:1/', 'http://h/name']) {
      assert.throws(() => databaseAddress(uri), /--uri/);
    }
  });
});

function changeByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
