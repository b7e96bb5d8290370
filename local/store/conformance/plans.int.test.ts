import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exact, ids, scansCollection, stages, usesIndex } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

conformance('plans', suite => {
  const documents = Array.from({ length: 300 }, (_, i) => ({
    _id: i,
    sku: `s${i}`,
    status: ['new', 'open', 'done'][i % 3],
    at: i,
    tags: [`t${i % 10}`, `u${i % 7}`],
    lines: [
      { sku: `l${i}`, n: i % 5 },
      { sku: `m${i}`, n: i % 4 },
    ],
    nested: { deep: { n: i % 20 } },
    ...(i % 10 === 0 ? { lease: i } : undefined),
  }));
  const indexes: [Document, Document][] = [
    [{ sku: 1 }, { unique: true }],
    [{ status: 1, at: -1 }, {}],
    [{ tags: 1 }, {}],
    [{ 'lines.sku': 1, 'lines.n': 1 }, {}],
    [{ 'nested.deep.n': 1 }, {}],
    [{ lease: 1 }, { sparse: true }],
    [{ at: 1 }, { partialFilterExpression: { status: 'open' }, name: 'open by time' }],
  ];
  const prepared = async () => {
    const c = await suite.collection(documents);
    for (const [key, options] of indexes) await c.createIndex(key, options);
    return c;
  };

  /** Filters that must go through an index, with a sort if they have one. */
  const indexed: [Document, Document?][] = [
    [{ _id: 5 }],
    [{ _id: { $in: [5, 6, 999] } }],
    [{ _id: { $gte: 290 } }],
    [{ sku: 's7' }],
    [{ sku: { $in: ['s1', 's2'] } }],
    [{ sku: { $gt: 's298' } }],
    [{ sku: /^s29/ }],
    [{ sku: { $gte: 's1', $lt: 's2' }, at: { $gt: 150 } }],
    [{ status: 'open' }],
    [{ status: 'open', at: 4 }],
    [{ status: 'open', at: { $gte: 100, $lt: 110 } }],
    [{ status: { $in: ['new', 'done'] }, at: { $lt: 10 } }],
    [{ status: 'open' }, { at: -1 }],
    [{ status: 'open' }, { at: 1 }],
    [{ status: 'open', at: { $gt: 100 } }, { at: -1 }],
    [{}, { status: 1, at: -1 }],
    [{}, { status: -1, at: 1 }],
    [{}, { _id: -1 }],
    [{ tags: 't3' }],
    [{ tags: { $in: ['t3', 'u5'] } }],
    [{ tags: { $all: ['t3', 'u5'] } }],
    [{ 'lines.sku': 'l9' }],
    [{ 'lines.sku': 'l9', 'lines.n': 4 }],
    [{ lines: { $elemMatch: { sku: 'm9', n: 1 } } }],
    [{ 'nested.deep.n': 3 }],
    [{ 'nested.deep.n': { $lte: 1 } }],
    [{ lease: { $exists: true } }],
    [{ lease: { $lt: 50 } }],
    [{ lease: 20 }],
    [{ $or: [{ sku: 's4' }, { 'nested.deep.n': 4 }] }],
    [{ $and: [{ sku: 's4' }, { at: 4 }] }],
    [{ at: { $gt: 200 }, status: 'open' }],
    [{ sku: { $ne: null, $eq: 's9' } }],
    [{ _id: 5, sku: 's5' }],
  ];
  for (const [filter, sort] of indexed) {
    it(`goes through an index: ${exact(filter)} ${sort ? exact(sort) : ''}`, async () => {
      const c = await prepared();
      const find = () => (sort ? c.find(filter).sort(sort) : c.find(filter));
      const explained = await find().explain('queryPlanner');
      usesIndex(explained);
      if (sort) assert.ok(!stages(explained).includes('SORT'), 'sorts in memory');
      const bare = await suite.collection(documents);
      const expected = await ids(sort ? bare.find(filter).sort(sort) : bare.find(filter));
      const found = await ids(find());
      assert.deepEqual(sort ? found : found.toSorted(numbers), sort ? expected : expected.toSorted(numbers));
    });
  }

  const numbers = (a: unknown, b: unknown) => Number(a) - Number(b);

  /** Filters that no index can answer. */
  const scanned: Document[] = [
    {},
    { at: 5 },
    { at: { $gt: 200 }, status: { $ne: 'open' } },
    { lease: null },
    { lease: { $exists: false } },
    { $or: [{ sku: 's4' }, { nope: 1 }] },
    { nope: 1 },
  ];
  for (const filter of scanned) {
    it(`reads the collection: ${exact(filter)}`, async () => {
      const c = await suite.collection(documents);
      for (const [key, options] of indexes) if (!('status' in key)) await c.createIndex(key, options);
      scansCollection(await c.find(filter).explain('queryPlanner'));
    });
  }

  it('reads only what a limit asks for', async () => {
    const c = await prepared();
    const explained = await c.find({ status: 'open' }).sort({ at: -1 }).limit(5).explain('executionStats');
    assert.equal(explained.executionStats.nReturned, 5);
    assert.equal(explained.executionStats.totalDocsExamined, 5);
  });

  it('reads only the documents with a value', async () => {
    const c = await prepared();
    const { executionStats } = await c.find({ sku: 's8' }).explain('executionStats');
    assert.deepEqual([executionStats.nReturned, executionStats.totalDocsExamined], [1, 1]);
  });

  it('does not use bounds of two elements for one', async () => {
    const c = await suite.collection([
      { _id: 1, a: [1, 20] },
      { _id: 2, a: [12] },
      { _id: 3, a: [1, 2] },
    ]);
    await c.createIndex({ a: 1 });
    assert.deepEqual(await ids(c.find({ a: { $gt: 10, $lt: 15 } }).sort({ _id: 1 })), [1, 2]);
    assert.deepEqual(await ids(c.find({ a: { $elemMatch: { $gt: 10, $lt: 15 } } })), [2]);
  });

  it('does not use the bounds of two fields for different elements', async () => {
    const c = await suite.collection([
      {
        _id: 1,
        a: [
          { b: 1, c: 9 },
          { b: 9, c: 2 },
        ],
      },
    ]);
    await c.createIndex({ 'a.b': 1, 'a.c': 1 });
    assert.deepEqual(await ids(c.find({ 'a.b': 1, 'a.c': 2 })), [1]);
    assert.deepEqual(await ids(c.find({ a: { $elemMatch: { b: 1, c: 2 } } })), []);
  });

  it('explains updates, deletes, counts and aggregations', async () => {
    const c = await prepared();
    const name = c.collectionName;
    const explain = (command: Document) => suite.db().command({ explain: command, verbosity: 'queryPlanner' });
    usesIndex(await explain({ update: name, updates: [{ q: { sku: 's1' }, u: { $set: { x: 1 } } }] }));
    usesIndex(await explain({ delete: name, deletes: [{ q: { status: 'open', at: 4 }, limit: 1 }] }));
    usesIndex(await explain({ findAndModify: name, query: { sku: 's1' }, update: { $set: { x: 1 } } }));
    usesIndex(await explain({ count: name, query: { status: 'open' } }));
    usesIndex(
      await explain({ aggregate: name, pipeline: [{ $match: { sku: 's1' } }, { $group: { _id: '$at' } }], cursor: {} }),
    );
    usesIndex(
      await explain({ aggregate: name, pipeline: [{ $sort: { status: 1, at: -1 } }, { $limit: 3 }], cursor: {} }),
    );
    scansCollection(await explain({ update: name, updates: [{ q: { nope: 's1' }, u: { $set: { x: 1 } } }] }));
    await c.findOne({ sku: 's1', x: { $exists: false } });
  });

  it('takes a hint by name and by key', async () => {
    const c = await prepared();
    for (const hint of ['sku_1', { sku: 1 }]) {
      const explained = await c.find({ status: 'open' }).hint(hint).explain('queryPlanner');
      usesIndex(explained);
      assert.match(exact(explained.queryPlanner.winningPlan), /"sku_1"/);
    }
    assert.equal((await c.find({ status: 'open' }).hint('sku_1').toArray()).length, 100);
    scansCollection(await c.find({ sku: 's1' }).hint({ $natural: 1 }).explain('queryPlanner'));
  });

  it('refuses to explain what cannot be', async () => {
    await assert.rejects(suite.db().command({ explain: { ping: 1 } }), {
      code: 20,
      message: 'Cannot explain cmd: ping',
    });
  });
});
