import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { ids, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

const { Double, Long } = BSON;

conformance('cursors', suite => {
  const many = (n: number) => Array.from({ length: n }, (_, _id) => ({ _id, n: _id % 7 }));

  it('gives 101 documents first, then the rest', async () => {
    const c = await suite.collection(many(300));
    const { cursor } = await suite.db().command({ find: c.collectionName });
    assert.equal(cursor.firstBatch.length, 101);
    const more = await suite.db().command({ getMore: cursor.id, collection: c.collectionName });
    assert.equal(more.cursor.nextBatch.length, 199);
    assert.equal(Number(more.cursor.id), 0);
  });

  it('keeps to the batch size', async () => {
    const c = await suite.collection(many(10));
    const first = await suite.db().command({ find: c.collectionName, batchSize: 4 });
    assert.equal(first.cursor.firstBatch.length, 4);
    const getMore = { getMore: first.cursor.id, collection: c.collectionName, batchSize: 4 };
    const second = await suite.db().command(getMore);
    assert.deepEqual(
      second.cursor.nextBatch.map((d: Document) => d._id),
      [4, 5, 6, 7],
    );
    const third = await suite.db().command(getMore);
    assert.deepEqual([third.cursor.nextBatch.length, Number(third.cursor.id)], [2, 0]);
    await refused(suite.db().command(getMore), 43, `cursor id ${first.cursor.id} not found`);
  });

  it('opens a cursor without documents for a batch size of 0', async () => {
    const c = await suite.collection(many(3));
    const { cursor } = await suite.db().command({ find: c.collectionName, batchSize: 0 });
    assert.deepEqual(cursor.firstBatch, []);
    const more = await suite.db().command({ getMore: cursor.id, collection: c.collectionName });
    assert.equal(more.cursor.nextBatch.length, 3);
  });

  it('closes after a single batch', async () => {
    const c = await suite.collection(many(10));
    const { cursor } = await suite.db().command({ find: c.collectionName, batchSize: 2, singleBatch: true });
    assert.deepEqual([cursor.firstBatch.length, Number(cursor.id)], [2, 0]);
  });

  it('closes at the limit', async () => {
    const c = await suite.collection(many(10));
    const { cursor } = await suite.db().command({ find: c.collectionName, limit: 3 });
    assert.deepEqual([cursor.firstBatch.length, Number(cursor.id)], [3, 0]);
  });

  it('iterates sorted, filtered and in small batches', async () => {
    const c = await suite.collection(many(500));
    const found = await ids(c.find({ n: 3 }).sort({ _id: -1 }).batchSize(7));
    assert.deepEqual(
      found,
      many(500)
        .filter(d => d.n === 3)
        .map(d => d._id)
        .reverse(),
    );
  });

  it('goes on while documents it has still to give are changed and deleted', async () => {
    const c = await suite.collection(many(400));
    const seen = new Set<unknown>();
    for await (const d of c.find().batchSize(50)) {
      seen.add(d._id);
      if (d._id === 60) await c.deleteMany({ _id: { $gte: 300 } });
      if (d._id === 61) await c.updateMany({}, { $set: { long: 'x'.repeat(500) } });
    }
    for (let i = 0; i < 300; i++) assert.ok(seen.has(i), `missed ${i}`);
    assert.ok(seen.size < 400);
  });

  it('gives a batch of at most 16 MB', async () => {
    const c = await suite.collection();
    for (let i = 0; i < 5; i++) await c.insertOne({ _id: i, text: 'x'.repeat(6_000_000) });
    const { cursor } = await suite.db().command({ find: c.collectionName });
    assert.equal(cursor.firstBatch.length, 2);
    assert.deepEqual(await ids(c.find()), [0, 1, 2, 3, 4]);
  });

  it('is killed', async () => {
    const c = await suite.collection(many(10));
    const { cursor } = await suite.db().command({ find: c.collectionName, batchSize: 2 });
    const answer = await suite.db().command({ killCursors: c.collectionName, cursors: [cursor.id] });
    assert.deepEqual([answer.cursorsKilled.length, answer.cursorsNotFound.length], [1, 0]);
    await refused(suite.db().command({ getMore: cursor.id, collection: c.collectionName }), 43);
    const again = await suite.db().command({ killCursors: c.collectionName, cursors: [cursor.id] });
    assert.deepEqual([again.cursorsKilled.length, again.cursorsNotFound.length], [0, 1]);
  });

  it('belongs to its collection', async () => {
    const c = await suite.collection(many(10));
    const { cursor } = await suite.db().command({ find: c.collectionName, batchSize: 2 });
    await refused(suite.db().command({ getMore: cursor.id, collection: 'another' }), 13);
  });

  it('gives the results of an aggregation in batches', async () => {
    const c = await suite.collection(many(300));
    const found = await c
      .aggregate([{ $match: { n: { $lt: 5 } } }, { $project: { n: 1 } }], { batchSize: 10 })
      .toArray();
    assert.equal(found.length, many(300).filter(d => d.n < 5).length);
  });

  it('ends when its time is over', async () => {
    const c = await suite.collection(many(3000).map(d => ({ ...d, list: Array.from({ length: 300 }, (_, i) => i) })));
    const slow = { list: { $not: { $elemMatch: { $gt: 1e9 } } }, $expr: { $gt: [{ $sum: '$list' }, 1e9] } };
    await refused(c.find(slow).maxTimeMS(1).toArray(), 50);
  });
});

conformance('count and distinct', suite => {
  const documents = [
    { _id: 1, a: 1, tags: ['x', 'y'], d: [{ k: 1 }, { k: 2 }] },
    { _id: 2, a: 1, tags: ['y'], d: { k: 2 } },
    { _id: 3, a: 2, tags: 'z' },
    { _id: 4, a: null },
  ];

  for (const index of [undefined, { a: 1 }] as const) {
    it(`counts ${index ? 'by an index' : 'without one'}`, async () => {
      const c = await suite.collection(documents);
      if (index) await c.createIndex(index);
      const count = async (command: Document) => (await suite.db().command({ count: c.collectionName, ...command })).n;
      assert.equal(await count({}), 4);
      assert.equal(await count({ query: { a: 1 } }), 2);
      assert.equal(await count({ query: { a: { $gt: 0 } }, skip: 1 }), 2);
      assert.equal(await count({ query: { a: { $gte: 0 } }, limit: 2 }), 2);
      assert.equal(await count({ query: { a: null } }), 1);
      assert.equal(await c.countDocuments({ a: 1 }, { limit: 1 }), 1);
      assert.equal(await c.countDocuments({ a: { $in: [1, 2] } }), 3);
    });
  }

  it('counts nothing where there is no collection', async () => {
    assert.deepEqual(await suite.db().command({ count: 'nowhere' }), { n: 0, ok: 1 });
    assert.equal(await suite.db().collection('nowhere').countDocuments({ a: 1 }), 0);
  });

  it('gives distinct values, of arrays their elements', async () => {
    const c = await suite.collection(documents);
    assert.deepEqual((await c.distinct('tags')).toSorted(), ['x', 'y', 'z']);
    assert.deepEqual(await c.distinct('d.k'), [1, 2]);
    assert.deepEqual(await c.distinct('a', { a: { $ne: null } }), [1, 2]);
    assert.deepEqual(await c.distinct('nope'), []);
    assert.deepEqual(await suite.db().collection('nowhere').distinct('a'), []);
  });

  it('takes 1 and 1.0 for one value', async () => {
    const c = await suite.collection([{ a: 1 }, { a: new Double(1) }, { a: Long.fromNumber(1) }, { a: '1' }]);
    assert.equal((await c.distinct('a')).length, 2);
  });
});
