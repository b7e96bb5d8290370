import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exact, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

conformance('upserts', suite => {
  /** A filter, an update, and the document that the upsert makes. */
  const cases: [Document, Document, Document][] = [
    [{ _id: 1 }, { $set: { a: 1 } }, { _id: 1, a: 1 }],
    [{ _id: 1, z: 1, 'y.x': 2 }, { $set: { w: 1 } }, { _id: 1, y: { x: 2 }, z: 1, w: 1 }],
    [{ _id: 1, a: { $eq: 5 } }, { $set: { w: 1 } }, { _id: 1, a: 5, w: 1 }],
    [{ _id: 1, $and: [{ a: 1 }, { b: { $eq: 2 } }] }, { $set: { w: 1 } }, { _id: 1, a: 1, b: 2, w: 1 }],
    [{ _id: 1, $or: [{ a: 1 }] }, { $set: { w: 1 } }, { _id: 1, a: 1, w: 1 }],
    [{ _id: 1, $or: [{ a: 1 }, { a: 2 }] }, { $set: { w: 1 } }, { _id: 1, w: 1 }],
    [{ _id: 1, a: { $gt: 5 }, b: { $ne: 1 }, c: { $in: [1, 2] } }, { $set: { w: 1 } }, { _id: 1, w: 1 }],
    [{ _id: 1, a: { $exists: false } }, { $set: { w: 1 } }, { _id: 1, w: 1 }],
    [{ _id: 1, a: null }, { $set: { w: 1 } }, { _id: 1, a: null, w: 1 }],
    [{ _id: 1, a: 1 }, { $inc: { a: 2 } }, { _id: 1, a: 3 }],
    [{ _id: 1 }, { $setOnInsert: { a: 1 }, $set: { b: 2 } }, { _id: 1, a: 1, b: 2 }],
    [{ _id: 1 }, { $inc: { n: 5 }, $push: { l: 1 }, $min: { m: 2 } }, { _id: 1, l: [1], m: 2, n: 5 }],
    [{ _id: 1, 'a.b': 1 }, { $set: { 'a.c': 2 } }, { _id: 1, a: { b: 1, c: 2 } }],
    [{ _id: 1 }, { $unset: { a: 1 } }, { _id: 1 }],
    [{ _id: 1, tags: { $all: ['x'] } }, { $set: { w: 1 } }, { _id: 1, tags: 'x', w: 1 }],
    [{ _id: { $in: [1] } }, { $set: { w: 1 } }, { _id: 1, w: 1 }],
    [{ _id: 1, a: 1 }, [{ $set: { b: 2 } }], { _id: 1, a: 1, b: 2 }],
  ];
  for (const [filter, update, made] of cases) {
    it(`${exact(filter)} ${exact(update)}`, async () => {
      const c = await suite.collection();
      const result = await c.updateOne(filter, update, { upsert: true });
      assert.deepEqual([result.matchedCount, result.modifiedCount, result.upsertedCount], [0, 0, 1]);
      assert.deepEqual(result.upsertedId, 1);
      assert.equal(exact(await c.findOne()), exact(made));
    });
  }

  it('makes an ObjectId when neither filter nor update has an _id', async () => {
    const c = await suite.collection();
    const { upsertedId } = await c.updateOne({ a: 1 }, { $set: { b: 1 } }, { upsert: true });
    assert.deepEqual(await c.findOne(), { _id: upsertedId, a: 1, b: 1 });
  });

  it('updates when it finds one', async () => {
    const c = await suite.collection([{ _id: 1, a: 1 }]);
    const result = await c.updateOne({ a: 1 }, { $setOnInsert: { x: 1 }, $inc: { n: 1 } }, { upsert: true });
    assert.deepEqual([result.matchedCount, result.modifiedCount, result.upsertedId], [1, 1, null]);
    assert.deepEqual(await c.findOne(), { _id: 1, a: 1, n: 1 });
  });

  it('inserts a replacement without the fields of the filter', async () => {
    const c = await suite.collection();
    await c.replaceOne({ _id: 5, a: 1 }, { b: 2 }, { upsert: true });
    assert.deepEqual(await c.findOne(), { _id: 5, b: 2 });
  });

  it('inserts one document for updateMany', async () => {
    const c = await suite.collection();
    const result = await c.updateMany({ a: 1 }, { $set: { b: 1 } }, { upsert: true });
    assert.equal(result.upsertedCount, 1);
    assert.equal(await c.countDocuments(), 1);
  });

  it('creates the collection', async () => {
    const c = suite.db().collection<Document>('made by an upsert');
    await c.updateOne({ _id: 1 }, { $set: { a: 1 } }, { upsert: true });
    assert.deepEqual(await c.findOne(), { _id: 1, a: 1 });
  });

  it('tells the index of each upsert in a batch', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    const updates = [1, 2, 3].map(_id => ({ q: { _id }, u: { $set: { a: 1 } }, upsert: true }));
    const answer = await suite.db().command({ update: c.collectionName, updates });
    assert.deepEqual(answer, {
      n: 3,
      upserted: [
        { index: 1, _id: 2 },
        { index: 2, _id: 3 },
      ],
      nModified: 1,
      ok: 1,
    });
  });

  it('refuses a filter that pins a path twice', async () => {
    const c = await suite.collection();
    const filter = { a: 1, $and: [{ a: 2 }] };
    await refused(
      c.updateOne(filter, { $set: { b: 1 } }, { upsert: true }),
      54,
      "cannot infer query fields to set, path 'a' is matched twice",
    );
  });

  it('refuses a replacement with another _id than the filter', async () => {
    const c = await suite.collection();
    await refused(c.replaceOne({ _id: 1 }, { _id: 2 }, { upsert: true }), 66);
  });

  it('is a duplicate when the document it makes is one', async () => {
    const c = await suite.collection([{ _id: 1, sku: 'a' }]);
    await c.createIndex({ sku: 1 }, { unique: true });
    const update = c.updateOne({ sku: 'a', stock: { $gte: 1 } }, { $inc: { stock: -1 } }, { upsert: true });
    const error = await refused(update, 11000);
    assert.match(error.message, /index: sku_1 dup key: \{ sku: "a" \}/);
  });
});
