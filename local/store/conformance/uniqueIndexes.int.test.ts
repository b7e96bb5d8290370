import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { ids, refused } from './asserts.ts';
import { conformance } from './servers.ts';

const { Double, Long } = BSON;

conformance('unique indexes', suite => {
  it('refuses a second document with the same value', async () => {
    const c = await suite.collection([{ _id: 1, email: 'a@b.c' }]);
    await c.createIndex({ email: 1 }, { unique: true });
    const error = await refused(c.insertOne({ _id: 2, email: 'a@b.c' }), 11000);
    const ns = `conformance.${c.collectionName}`;
    assert.equal(
      error.message,
      `E11000 duplicate key error collection: ${ns} index: email_1 dup key: { email: "a@b.c" }`,
    );
    assert.deepEqual([error.keyPattern, error.keyValue], [{ email: 1 }, { email: 'a@b.c' }]);
    assert.equal(await c.countDocuments(), 1);
  });

  it('takes null and missing for the same', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await c.createIndex({ a: 1 }, { unique: true });
    await refused(c.insertOne({ _id: 2, a: null }), 11000, /dup key: \{ a: null \}/);
    await refused(c.insertOne({ _id: 2 }), 11000);
  });

  it('takes numbers by their value', async () => {
    const c = await suite.collection([{ _id: 1, a: 1 }]);
    await c.createIndex({ a: 1 }, { unique: true });
    await refused(c.insertOne({ a: new Double(1) }), 11000);
    await refused(c.insertOne({ a: Long.fromNumber(1) }), 11000);
    await c.insertOne({ a: Long.fromString('9007199254740993') });
    await c.insertOne({ a: 9007199254740992 });
  });

  it('is about all fields of a compound index', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: 1, b: 2 },
    ]);
    await c.createIndex({ a: 1, b: -1 }, { unique: true, name: 'ab' });
    const error = await refused(c.insertOne({ a: 1, b: 2 }), 11000, /index: ab dup key: \{ a: 1, b: 2 \}/);
    assert.deepEqual(
      [error.keyPattern, error.keyValue],
      [
        { a: 1, b: -1 },
        { a: 1, b: 2 },
      ],
    );
    await c.insertOne({ a: 2, b: 2 });
  });

  it('is about the elements of arrays, but not within one document', async () => {
    const c = await suite.collection([{ _id: 1, a: [1, 2, 2, 1] }]);
    await c.createIndex({ a: 1 }, { unique: true });
    await refused(c.insertOne({ _id: 2, a: [7, 2] }), 11000, /dup key: \{ a: 2 \}/);
    await c.insertOne({ _id: 3, a: [7, 8] });
    await refused(c.insertOne({ _id: 4, a: 8 }), 11000);
  });

  it('is about fields of the documents in an array', async () => {
    const c = await suite.collection([{ _id: 1, m: [{ id: 'a' }, { id: 'b' }] }]);
    await c.createIndex({ 'm.id': 1 }, { unique: true });
    await refused(c.insertOne({ _id: 2, m: [{ id: 'b' }] }), 11000, /dup key: \{ m\.id: "b" \}/);
    await refused(
      c.updateOne({ _id: 1 }, { $push: { m: { id: 'c' } as never } }).then(() => c.insertOne({ m: { id: 'c' } })),
      11000,
    );
  });

  it('holds for updates, upserts and replacements', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    await c.createIndex({ a: 1 }, { unique: true });
    await refused(c.updateOne({ _id: 2 }, { $set: { a: 1 } }), 11000);
    await refused(c.updateOne({ _id: 2 }, { $inc: { a: -1 } }), 11000);
    await refused(c.replaceOne({ _id: 2 }, { a: 1 }), 11000);
    await refused(c.updateOne({ _id: 3 }, { $set: { a: 1 } }, { upsert: true }), 11000);
    await c.updateOne({ _id: 2 }, { $set: { a: 2, b: 1 } });
    assert.deepEqual(await c.find().sort({ _id: 1 }).toArray(), [
      { _id: 1, a: 1 },
      { _id: 2, a: 2, b: 1 },
    ]);
  });

  it('frees a value when its document is changed or deleted', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    await c.createIndex({ a: 1 }, { unique: true });
    await c.updateOne({ _id: 1 }, { $set: { a: 5 } });
    await c.insertOne({ _id: 3, a: 1 });
    await c.deleteOne({ _id: 2 });
    await c.insertOne({ _id: 4, a: 2 });
  });

  it('keeps documents out of a sparse index that lack its field', async () => {
    const c = await suite.collection([{ _id: 1 }, { _id: 2 }, { _id: 3, a: null }]);
    await c.createIndex({ a: 1 }, { unique: true, sparse: true });
    await c.insertOne({ _id: 4 });
    await refused(c.insertOne({ _id: 5, a: null }), 11000);
  });

  it('keeps documents in a sparse compound index that have one of its fields', async () => {
    const c = await suite.collection([{ _id: 1 }, { _id: 2 }, { _id: 3, a: 1 }]);
    await c.createIndex({ a: 1, b: 1 }, { unique: true, sparse: true });
    await c.insertOne({ _id: 4 });
    await refused(c.insertOne({ _id: 5, a: 1 }), 11000, /dup key: \{ a: 1, b: null \}/);
  });

  it('is only about the documents of a partial index', async () => {
    const c = await suite.collection([
      { _id: 1, user: 'u', open: true },
      { _id: 2, user: 'u', open: false },
    ]);
    await c.createIndex({ user: 1 }, { unique: true, partialFilterExpression: { open: true } });
    await c.insertOne({ _id: 3, user: 'u', open: false });
    await refused(c.insertOne({ _id: 4, user: 'u', open: true }), 11000);
    await refused(c.updateOne({ _id: 2 }, { $set: { open: true } }), 11000);
    await c.updateOne({ _id: 1 }, { $set: { open: false } });
    await c.updateOne({ _id: 2 }, { $set: { open: true } });
  });

  it('cannot be created over duplicates', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
    ]);
    const error = await refused(
      c.createIndex({ a: 1 }, { unique: true }),
      11000,
      /^Index build failed: .* dup key: \{ a: 1 \}$/,
    );
    assert.deepEqual(error.keyValue, { a: 1 });
    assert.equal((await c.indexes()).length, 1);
    await c.insertOne({ _id: 3, a: 1 });
  });

  it('refuses two arrays in one document', async () => {
    const c = await suite.collection([{ _id: 1, a: [1], b: 1 }]);
    await c.createIndex({ a: 1, b: 1 });
    await refused(c.insertOne({ _id: 2, a: [1], b: [2] }), 171, 'cannot index parallel arrays [b] [a]');
    assert.deepEqual(await ids(c.find({ a: 1 })), [1]);
  });
});
