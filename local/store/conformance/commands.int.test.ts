import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { exact, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

const { Long, UUID } = BSON;

conformance('refused filters', suite => {
  const cases: [Document, string, number?][] = [
    [{ a: { $foo: 1 } }, 'unknown operator: $foo'],
    [
      { $foo: 1 },
      "unknown top level operator: $foo. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.",
    ],
    [{ a: { $gt: 1, b: 2 } }, 'unknown operator: b'],
    [{ a: { $in: 1 } }, '$in needs an array'],
    [{ a: { $nin: 1 } }, '$nin needs an array'],
    [{ a: { $in: [{ $gt: 1 }] } }, 'cannot nest $ under $in'],
    [{ $and: 1 }, '$and must be an array'],
    [{ $or: [] }, '$and/$or/$nor must be a nonempty array'],
    [{ $nor: [1] }, '$or/$and/$nor entries need to be full objects'],
    [{ a: { $not: 1 } }, '$not needs a regex or a document'],
    [{ a: { $not: {} } }, '$not cannot be empty'],
    [{ a: { $size: -1 } }, 'Failed to parse $size. Expected a non-negative number in: $size: -1'],
    [{ a: { $elemMatch: 1 } }, '$elemMatch needs an Object'],
    [{ a: { $all: 1 } }, '$all needs an array'],
    [{ a: { $all: [{ $gt: 1 }] } }, 'no $ expressions in $all'],
    [{ a: { $mod: [1] } }, 'malformed mod, not enough elements'],
    [{ a: { $mod: [0, 1] } }, 'divisor cannot be 0'],
    [{ a: { $type: 'foo' } }, 'Unknown type name alias: foo'],
    [{ a: { $type: 99 } }, 'Invalid numerical type code: 99'],
    [{ a: { $options: 'i' } }, '$options needs a $regex'],
    [{ a: { $regex: 1 } }, '$regex has to be a string'],
    [{ a: { $ne: /x/ } }, "Can't have regex as arg to $ne."],
    [{ a: { $gt: /x/ } }, "Can't have RegEx as arg to predicate over field 'a'."],
    [{ $expr: { $foo: 1 } }, "Unrecognized expression '$foo'", 168],
    [{ a: { $regex: 'x', $options: 'q' } }, ' invalid flag in regex options: q', 51108],
  ];
  for (const [filter, text, code = 2] of cases) {
    it(exact(filter), async () => {
      const c = await suite.collection([{ _id: 1 }]);
      await refused(c.find(filter).toArray(), code, text);
      await refused(c.updateOne(filter, { $set: { b: 1 } }), code, text);
      await refused(c.countDocuments(filter), code);
      await refused(suite.db().collection('nowhere').findOne(filter), code, text);
    });
  }

  it('a regular expression that is none', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await refused(c.findOne({ a: { $regex: '(' } }), 51091, /^Regular expression is invalid: /);
  });
});

conformance('commands', suite => {
  const run = (command: Document) => suite.db().command(command);

  it('answers ping, hello and buildInfo', async () => {
    assert.deepEqual(await run({ ping: 1 }), { ok: 1 });
    const hello = await run({ hello: 1 });
    assert.equal(hello.isWritablePrimary, true);
    assert.equal(hello.setName, undefined);
    assert.equal(hello.maxBsonObjectSize, 16777216);
    assert.equal(hello.maxWriteBatchSize, 100000);
    assert.ok(hello.maxWireVersion >= 17);
    assert.equal((await run({ isMaster: 1 })).ismaster, true);
    assert.match((await run({ buildInfo: 1 })).version, /^\d+\.\d+\.\d+$/);
  });

  const cases: [Document, number, (string | RegExp)?][] = [
    [{ fooBar: 1 }, 59, "no such command: 'fooBar'"],
    [{ ping: 1, foo: 1 }, 40415],
    [{ find: 'c', foo: 1 }, 40415, "BSON field 'FindCommandRequest.foo' is an unknown field."],
    [{ find: 'c', limit: -1 }, 51024, "BSON field 'limit' value must be >= 0, actual value '-1'"],
    [{ find: 'c', skip: -1 }, 51024],
    [{ find: 'c', filter: 1 }, 14],
    [{ find: 'c', sort: 1 }, 14],
    [{ find: 'c', readConcern: { level: 'snapshot' } }, 123],
    [{ find: 'c', readConcern: { level: 'foo' } }, 9],
    [{ find: 'c', maxTimeMS: -1 }, 2, '-1 value for maxTimeMS is out of range'],
    [{ find: '' }, 73],
    [{ getMore: Long.fromNumber(5), collection: 'c' }, 43, 'cursor id 5 not found'],
    [{ insert: 'c' }, 40414, "BSON field 'insert.documents' is missing but a required field"],
    [{ insert: 'c', documents: [] }, 16, 'Write batch sizes must be between 1 and 100000. Got 0 operations.'],
    [
      { insert: 'c', documents: [1] },
      14,
      "BSON field 'insert.documents.0' is the wrong type 'int', expected type 'object'",
    ],
    [
      { insert: 'c', documents: [{ a: 1 }], writeConcern: { w: 2 } },
      2,
      "cannot use 'w' > 1 when a host is not replicated",
    ],
    [{ update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, foo: 1 }] }, 40415],
    [{ update: 'c', updates: [{ q: {}, u: 5 }] }, 9, 'Update argument must be either an object or an array'],
    [{ delete: 'c', deletes: [{ q: {} }] }, 40414, "BSON field 'delete.deletes.limit' is missing but a required field"],
    [{ delete: 'c', deletes: [{ q: {}, limit: 2 }] }, 9, 'The limit field in delete objects must be 0 or 1. Got 2'],
    [{ distinct: 'c' }, 40414],
    [
      { aggregate: 'c', pipeline: [] },
      9,
      "The 'cursor' option is required, except for aggregate with the explain argument",
    ],
    [{ aggregate: 'c', pipeline: [{ $foo: 1 }], cursor: {} }, 40324, "Unrecognized pipeline stage name: '$foo'"],
    [{ aggregate: 'c', pipeline: [{ $match: {}, $limit: 1 }], cursor: {} }, 40323],
    [{ createIndexes: 'c', indexes: [] }, 2, 'Must specify at least one index to create'],
    [
      { insert: 'c', documents: [{ a: 1 }], lsid: { id: new UUID() }, txnNumber: Long.fromNumber(1) },
      20,
      'Transaction numbers are only allowed on a replica set member or mongos',
    ],
  ];
  for (const [command, code, text] of cases) {
    it(`refuses ${exact(command)}`, async () => {
      await refused(run(command), code, text);
    });
  }

  it('has a name for its codes', async () => {
    const error = await refused(run({ fooBar: 1 }), 59);
    assert.equal(error.codeName, 'CommandNotFound');
    const unnamed = await refused(run({ find: 'c', foo: 1 }), 40415);
    assert.equal(unnamed.codeName, 'Location40415');
  });

  it('refuses a hint at no index', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await refused(c.find().hint('nope').toArray(), 2, /hint provided does not correspond to an existing index/);
  });

  it('goes on deleting after a wrong statement only when unordered', async () => {
    const c = await suite.collection([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const deletes = [
      { q: { _id: 1 }, limit: 1 },
      { q: { $foo: 1 }, limit: 1 },
      { q: { _id: 2 }, limit: 1 },
    ];
    const ordered = await run({ delete: c.collectionName, deletes });
    assert.deepEqual([ordered.n, ordered.writeErrors[0].index, ordered.writeErrors[0].code], [1, 1, 2]);
    const unordered = await run({ delete: c.collectionName, deletes, ordered: false });
    assert.deepEqual([unordered.n, unordered.writeErrors.length], [1, 1]);
  });

  it('takes sessions, concerns, comments and read preferences', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    const session = suite.db().client.startSession();
    try {
      await c.insertOne({ _id: 2 }, { session, writeConcern: { w: 'majority', j: true }, comment: 'why' });
      const options = {
        session,
        readConcern: 'majority',
        readPreference: 'primaryPreferred',
        comment: { a: 1 },
      } as const;
      assert.equal(await c.countDocuments({}, options), 2);
    } finally {
      await session.endSession();
    }
  });

  it('refuses a transaction', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    const session = suite.db().client.startSession();
    try {
      session.startTransaction();
      // The driver has its own words for error 20.
      await assert.rejects(
        c.insertOne({ _id: 2 }, { session }),
        /does not support retryable writes|Transaction numbers/,
      );
      await session.abortTransaction().catch(() => {});
    } finally {
      await session.endSession();
    }
    assert.equal(await c.countDocuments(), 1);
  });

  it('writes without acknowledgement', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await c.insertOne({ _id: 2 }, { writeConcern: { w: 0 } });
    for (let i = 0; i < 100 && (await c.countDocuments()) < 2; i++) await new Promise(r => setTimeout(r, 10));
    assert.equal(await c.countDocuments(), 2);
  });
});
