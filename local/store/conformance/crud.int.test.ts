import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { exact, ids, refused } from './asserts.ts';
import { conformance } from './servers.ts';

const { Binary, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID, BSONRegExp } = BSON;

conformance('insert, find, delete', suite => {
  it('makes an ObjectId for a document without _id', async () => {
    const c = await suite.collection();
    const { insertedId } = await c.insertOne({ a: 1 });
    assert.equal((insertedId as { _bsontype: string })._bsontype, 'ObjectId');
    assert.deepEqual(await c.findOne(), { _id: insertedId, a: 1 });
  });

  it('makes the _id itself when the client sends none, as the first field', async () => {
    const c = await suite.collection();
    await suite.db().command({ insert: c.collectionName, documents: [{ a: 1 }] });
    const found = await c.findOne();
    assert.deepEqual(Object.keys(found!), ['_id', 'a']);
    assert.equal(found!._id._bsontype, 'ObjectId');
  });

  it('puts _id first', async () => {
    const c = await suite.collection();
    await suite.db().command({ insert: c.collectionName, documents: [{ a: 1, _id: 'x', b: 2 }] });
    assert.deepEqual(Object.keys((await c.findOne())!), ['_id', 'a', 'b']);
  });

  for (const [name, value] of Object.entries<unknown>({
    int32: 7,
    'int32 at its end': 2147483647,
    'double that is an integer': new Double(7),
    'double with a fraction': 0.1,
    'negative zero': -0,
    NaN: Number.NaN,
    infinity: Number.NEGATIVE_INFINITY,
    int64: Long.fromString('9223372036854775807'),
    'small int64': Long.fromNumber(5),
    decimal: Decimal128.fromString('12.340'),
    string: 'grün 😀 \u0000 end',
    'empty string': '',
    true: true,
    null: null,
    'date before 1970': new Date(-1),
    ObjectId: new ObjectId('65f0f0f0f0f0f0f0f0f0f0f0'),
    binary: new Binary(Buffer.from([0, 255, 1]), 128),
    uuid: new UUID('00112233-4455-6677-8899-aabbccddeeff'),
    timestamp: new Timestamp({ t: 5, i: 6 }),
    regex: new BSONRegExp('^a.*b$', 'im'),
    'min and max key': [new MinKey(), new MaxKey()],
    'nested arrays': [[], [[1], { a: [] }], null],
    'nested documents': { b: 1, a: { z: {}, y: [{}] } },
    'odd field names': { ключ: 1, '': 2, toString: 3, constructor: 4, 'with space': 5 },
  })) {
    it(`gives back a value unchanged: ${name}`, async () => {
      const c = await suite.collection([{ _id: 1, value }]);
      const found = await c.findOne({ _id: 1 }, { promoteValues: false, promoteLongs: false, bsonRegExp: true });
      assert.equal(exact(found!.value), exact(value));
    });
  }

  it('keeps a value unchanged when another field is updated', async () => {
    const values = [new Double(1), 1, Long.fromNumber(1), Decimal128.fromString('1.0'), 1.5, new Date(0), -0, null];
    const c = await suite.collection([{ _id: 1, values, n: 0 }]);
    await c.updateOne({ _id: 1 }, { $inc: { n: 1 } });
    const found = await c.findOne({ _id: 1 }, { promoteValues: false, promoteLongs: false });
    assert.equal(exact(found!.values), exact(values));
  });

  it('finds in the order of insertion', async () => {
    const c = await suite.collection([{ _id: 3 }, { _id: 1 }, { _id: 2 }]);
    assert.deepEqual(await ids(c.find()), [3, 1, 2]);
  });

  it('finds nothing in a collection that does not exist', async () => {
    assert.deepEqual(await suite.db().collection('nowhere').find({ a: 1 }).toArray(), []);
  });

  it('counts what it inserts', async () => {
    const c = await suite.collection();
    const result = await c.insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
    assert.equal(result.insertedCount, 3);
    assert.equal(await c.countDocuments(), 3);
    assert.equal(await c.estimatedDocumentCount(), 3);
  });

  it('inserts many documents in one command', async () => {
    const c = await suite.collection();
    await c.insertMany(Array.from({ length: 5000 }, (_, i) => ({ _id: i, text: 'x'.repeat(i % 300) })));
    assert.equal(await c.countDocuments({ _id: { $gte: 4000 } }), 1000);
  });

  it('stops an ordered insert at the first duplicate', async () => {
    const c = await suite.collection();
    const name = c.collectionName;
    const answer = await suite.db().command({ insert: name, documents: [{ _id: 1 }, { _id: 1 }, { _id: 2 }] });
    assert.deepEqual(answer, {
      n: 1,
      writeErrors: [
        {
          index: 1,
          code: 11000,
          errmsg: `E11000 duplicate key error collection: conformance.${name} index: _id_ dup key: { _id: 1 }`,
          keyPattern: { _id: 1 },
          keyValue: { _id: 1 },
        },
      ],
      ok: 1,
    });
    assert.deepEqual(await ids(c.find()), [1]);
  });

  it('goes on with an unordered insert after a duplicate', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    const documents = [{ _id: 1 }, { _id: 2 }, { _id: 1 }, { _id: 3 }];
    const answer = await suite.db().command({ insert: c.collectionName, documents, ordered: false });
    assert.equal(answer.n, 2);
    assert.deepEqual(
      answer.writeErrors.map((e: { index: number; code: number }) => [e.index, e.code]),
      [
        [0, 11000],
        [2, 11000],
      ],
    );
  });

  it('tells the driver which document of insertMany failed', async () => {
    const c = await suite.collection([{ _id: 2 }]);
    const error = await refused(c.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]), 11000);
    assert.equal(error.result.insertedCount, 1);
    assert.equal(error.writeErrors[0].index, 1);
  });

  it('takes 1 and 1.0 and int64 1 for the same _id', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await refused(c.insertOne({ _id: new Double(1) }), 11000);
    await refused(c.insertOne({ _id: Long.fromNumber(1) }), 11000);
    await refused(c.insertOne({ _id: Decimal128.fromString('1.00') }), 11000);
    await c.insertOne({ _id: '1' });
  });

  it('takes documents as _id, with the order of their fields', async () => {
    const c = await suite.collection([{ _id: { a: 1, b: 2 } }, { _id: { b: 2, a: 1 } }]);
    assert.equal(await c.countDocuments({ _id: { a: 1, b: 2 } }), 1);
    await refused(c.insertOne({ _id: { a: 1, b: 2 } }), 11000);
  });

  it('refuses arrays and regular expressions as _id', async () => {
    const c = await suite.collection();
    await refused(c.insertOne({ _id: [1] }), 53, "The '_id' value cannot be of type array");
    await refused(c.insertOne({ _id: /x/ }), 53, "The '_id' value cannot be of type regex");
  });

  it('refuses operators in an _id', async () => {
    const c = await suite.collection();
    await refused(c.insertOne({ _id: { $a: 1 } }), 52);
  });

  it('deletes one document of several', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: 2 },
    ]);
    assert.equal((await c.deleteOne({ a: 1 })).deletedCount, 1);
    assert.deepEqual(await ids(c.find()), [2, 3]);
  });

  it('deletes all that match', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: 2 },
    ]);
    assert.equal((await c.deleteMany({ a: 1 })).deletedCount, 2);
    assert.deepEqual(await ids(c.find()), [3]);
    assert.equal((await c.deleteMany({ a: 1 })).deletedCount, 0);
  });

  it('deletes everything', async () => {
    const c = await suite.collection(Array.from({ length: 700 }, (_, _id) => ({ _id })));
    assert.equal((await c.deleteMany({})).deletedCount, 700);
    assert.equal(await c.countDocuments(), 0);
  });

  it('inserts an _id anew after it was deleted', async () => {
    const c = await suite.collection([{ _id: 1, a: 'old' }]);
    await c.deleteOne({ _id: 1 });
    await c.insertOne({ _id: 1, a: 'new' });
    assert.equal((await c.findOne({ _id: 1 }))!.a, 'new');
  });

  it('does a bulk of several kinds of writes', async () => {
    const c = await suite.collection([{ _id: 1, n: 1 }]);
    const result = await c.bulkWrite([
      { insertOne: { document: { _id: 2, n: 2 } } },
      { updateOne: { filter: { _id: 1 }, update: { $inc: { n: 10 } } } },
      { updateOne: { filter: { _id: 9 }, update: { $set: { n: 9 } }, upsert: true } },
      { replaceOne: { filter: { _id: 2 }, replacement: { n: 22 } } },
      { deleteOne: { filter: { n: 9 } } },
    ]);
    assert.deepEqual(
      [result.insertedCount, result.modifiedCount, result.upsertedCount, result.deletedCount, result.upsertedIds],
      [1, 2, 1, 1, { 2: 9 }],
    );
    assert.deepEqual(await c.find().sort({ _id: 1 }).toArray(), [
      { _id: 1, n: 11 },
      { _id: 2, n: 22 },
    ]);
  });

  it('replaces a document but for its _id', async () => {
    const c = await suite.collection([{ _id: 1, a: 1, b: 2 }]);
    assert.equal((await c.replaceOne({ a: 1 }, { c: 3 })).modifiedCount, 1);
    assert.deepEqual(await c.findOne(), { _id: 1, c: 3 });
  });

  it('refuses a document over 16 MB', async () => {
    const c = await suite.collection([{ _id: 1, text: 'x'.repeat(10_000_000) }]);
    await refused(c.updateOne({ _id: 1 }, { $set: { more: 'x'.repeat(7_000_000) } }), 17419).catch(() =>
      // The server has another code for the same where an index has to be kept.
      refused(c.updateOne({ _id: 1 }, { $set: { more: 'x'.repeat(7_000_000) } }), 10334),
    );
    assert.equal((await c.findOne({ _id: 1 }, { projection: { more: 1 } }))!.more, undefined);
  });

  it('stores a document of nearly 16 MB', async () => {
    const c = await suite.collection();
    const text = 'é'.repeat(8_000_000);
    await c.insertOne({ _id: 1, text });
    assert.equal((await c.findOne())!.text, text);
  });
});
