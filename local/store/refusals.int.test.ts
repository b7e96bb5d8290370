import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import mongoose from 'mongoose';
import { type DocumentStore, startDocumentStore } from './documentStore.ts';

/** What the server can do and the store cannot: refused by a clear error, never passed over. */
describe('what the store does not support', () => {
  let store: DocumentStore;
  let client: mongoose.mongo.MongoClient;
  before(async () => {
    store = await startDocumentStore({ memory: true, port: 0 });
    client = await mongoose.mongo.MongoClient.connect(store.uri('test'));
    await client.db().collection('c').insertOne({ a: 1 });
  });
  after(async () => {
    await client.close();
    await store.close();
  });

  const find = (filter: object) => ({ find: 'c', filter });
  const index = (spec: object) => ({ createIndexes: 'c', indexes: [{ name: 'x', ...spec }] });
  const stage = (s: object) => ({ aggregate: 'c', pipeline: [s], cursor: {} });
  const cases: [string, object, number][] = [
    ['$where', find({ $where: '1' }), 238],
    ['$text', find({ $text: { $search: 'x' } }), 238],
    ['$jsonSchema', find({ $jsonSchema: {} }), 238],
    ['$near', find({ a: { $near: [1, 1] } }), 238],
    ['$geoWithin', find({ a: { $geoWithin: {} } }), 238],
    ['collation', { find: 'c', collation: { locale: 'de' } }, 238],
    ['tailable cursors', { find: 'c', tailable: true }, 40415],
    ['min and max', { find: 'c', min: { a: 1 } }, 40415],
    ['returnKey', { find: 'c', returnKey: true }, 40415],
    ['text indexes', index({ key: { a: 'text' } }), 238],
    ['hashed indexes', index({ key: { a: 'hashed' } }), 238],
    ['geo indexes', index({ key: { a: '2dsphere' } }), 238],
    ['wildcard indexes', index({ key: { '$**': 1 } }), 238],
    ['hidden indexes', index({ key: { a: 1 }, hidden: true }), 238],
    ['indexes with a collation', index({ key: { a: 1 }, collation: { locale: 'de' } }), 238],
    ['index options of other types', index({ key: { a: 1 }, weights: { a: 1 } }), 238],
    ['capped collections', { create: 'd', capped: true, size: 1000 }, 238],
    ['validators', { create: 'd', validator: { a: 1 } }, 238],
    ['views', { create: 'd', viewOn: 'c' }, 238],
    ['time series', { create: 'd', timeseries: { timeField: 't' } }, 238],
    ['$out', stage({ $out: 'd' }), 238],
    ['$merge', stage({ $merge: 'd' }), 238],
    ['$graphLookup', stage({ $graphLookup: {} }), 238],
    ['$setWindowFields', stage({ $setWindowFields: {} }), 238],
    ['change streams', stage({ $changeStream: {} }), 238],
    ['$function', stage({ $project: { x: { $function: {} } } }), 238],
    ['$topN', stage({ $group: { _id: 1, x: { $topN: {} } } }), 238],
    ['time zones', stage({ $project: { x: { $hour: { date: '$a', timezone: 'Europe/Berlin' } } } }), 238],
    ['authentication', { saslStart: 1, mechanism: 'PLAIN' }, 115],
    ['mapReduce', { mapReduce: 'c' }, 115],
    ['collMod', { collMod: 'c' }, 115],
    ['renameCollection', { renameCollection: 'c' }, 115],
    ['snapshots', { find: 'c', readConcern: { level: 'snapshot' } }, 123],
    ['other API versions', { ping: 1, apiVersion: '2' }, 322],
    ['transactions', { find: 'c', txnNumber: mongoose.mongo.Long.ONE, startTransaction: true, autocommit: false }, 20],
  ];
  for (const [name, command, code] of cases) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(client.db().command(command), (error: { code: number; message: string }) => {
        assert.equal(error.code, code, error.message);
        if (code === 238 || code === 115)
          assert.match(error.message, /is not supported by the embedded document store$/);
        return true;
      });
    });
  }

  it('refuses to compute with Decimal128, which it keeps and compares', async () => {
    const c = client.db().collection('decimals');
    await c.insertOne({ d: mongoose.mongo.Decimal128.fromString('1.10') });
    assert.equal((await c.findOne({ d: { $gte: 1, $lt: 1.5 } }))!.d.toString(), '1.10');
    await assert.rejects(c.updateOne({}, { $inc: { d: 1 } }), { code: 238 });
  });

  it('refuses a change stream of the driver', async () => {
    const stream = client.db().collection('c').watch();
    await assert.rejects(stream.next(), { code: 238 });
    await stream.close();
  });

  it('refuses a client that wants to authenticate', async () => {
    const uri = store.uri('test').replace('mongodb://', 'mongodb://user:secret@');
    await assert.rejects(mongoose.mongo.MongoClient.connect(uri, { serverSelectionTimeoutMS: 1000 }), { code: 115 });
  });
});
