import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { ids, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

const { Binary, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, Timestamp } = BSON;

conformance('sorting', suite => {
  /** In the server's order of types and, within each, of values. */
  const ascending: [string, unknown][] = [
    ['min', new MinKey()],
    ['empty array', []],
    ['null', null],
    ['nan', Number.NaN],
    ['minus infinity', Number.NEGATIVE_INFINITY],
    ['minus one', -1],
    ['zero', Long.fromNumber(0)],
    ['half', 0.5],
    ['one', new Double(1)],
    ['decimal', Decimal128.fromString('1.5')],
    ['two', 2],
    ['2^53', 9007199254740992],
    ['2^53+1', Long.fromString('9007199254740993')],
    ['infinity', Number.POSITIVE_INFINITY],
    ['empty text', ''],
    ['nul', 'a\0'],
    ['nul b', 'a\0b'],
    ['a!', 'a!'],
    ['ab', 'ab'],
    ['b', 'b'],
    ['ä', 'ä'],
    ['private use', '\uf8ff'],
    ['emoji', '😀'],
    ['{}', {}],
    ['{a: 1}', { a: 1 }],
    ['{a: 1, b: 1}', { a: 1, b: 1 }],
    ['{b: 1}', { b: 1 }],
    ['{a: "x"}', { a: 'x' }],
    ['binary', new Binary(Buffer.from('zz'))],
    ['longer binary', new Binary(Buffer.from('aaa'))],
    ['objectId', new ObjectId('000000000000000000000001')],
    ['later objectId', new ObjectId('000000000000000000000002')],
    ['false', false],
    ['true', true],
    ['old date', new Date(-5)],
    ['date', new Date(5)],
    ['timestamp', new Timestamp({ t: 1, i: 1 })],
    ['regex', /a/],
    ['max', new MaxKey()],
  ];
  const documents = ascending.map(([_id, v]) => ({ _id, v }));
  const shuffled = documents.toSorted(
    (a, b) => ((a._id.length * 7 + a._id.charCodeAt(0)) % 13) - ((b._id.length * 7 + b._id.charCodeAt(0)) % 13),
  );
  const order = ascending.map(([id]) => id);

  for (const indexed of [false, true]) {
    it(`orders all types ${indexed ? 'by an index' : 'in memory'}`, async () => {
      const c = await suite.collection(shuffled);
      if (indexed) await c.createIndex({ v: 1 });
      assert.deepEqual(await ids(c.find().sort({ v: 1 })), order);
      assert.deepEqual(await ids(c.find().sort({ v: -1 })), order.toReversed());
    });
  }

  it('puts missing with null', async () => {
    const c = await suite.collection([{ _id: 1, v: 0 }, { _id: 2 }, { _id: 3, v: null }]);
    assert.deepEqual(await ids(c.find().sort({ v: 1, _id: 1 })), [2, 3, 1]);
  });

  it('sorts arrays by their least element, or their greatest downwards', async () => {
    const c = await suite.collection([
      { _id: 1, v: [5, 9] },
      { _id: 2, v: 6 },
      { _id: 3, v: [1, 20] },
      { _id: 4, v: [] },
    ]);
    for (const index of [false, true]) {
      if (index) await c.createIndex({ v: 1 });
      assert.deepEqual(await ids(c.find().sort({ v: 1 })), [4, 3, 1, 2]);
      assert.deepEqual(await ids(c.find().sort({ v: -1 })), [3, 1, 2, 4]);
    }
  });

  it('sorts by several fields', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: 2, b: 1 },
      { _id: 3, a: 1, b: 2 },
      { _id: 4, a: 2, b: 2 },
    ]);
    for (const index of [false, true]) {
      if (index) await c.createIndex({ a: 1, b: -1 });
      assert.deepEqual(await ids(c.find().sort({ a: 1, b: -1 })), [3, 1, 4, 2]);
      assert.deepEqual(await ids(c.find().sort({ a: -1, b: 1 })), [2, 4, 1, 3]);
      assert.deepEqual(await ids(c.find().sort({ a: 1, b: 1 })), [1, 3, 2, 4]);
    }
  });

  it('sorts by a nested field', async () => {
    const c = await suite.collection([
      { _id: 1, a: { b: 2 } },
      { _id: 2, a: { b: 1 } },
      { _id: 3, a: [{ b: 0 }, { b: 9 }] },
    ]);
    assert.deepEqual(await ids(c.find().sort({ 'a.b': 1 })), [3, 2, 1]);
    assert.deepEqual(await ids(c.find().sort({ 'a.b': -1 })), [3, 1, 2]);
  });

  it('skips and limits after sorting', async () => {
    const c = await suite.collection(Array.from({ length: 50 }, (_, i) => ({ _id: i, n: (i * 37) % 50 })));
    const numbers = async (cursor: { toArray(): Promise<Document[]> }) => (await cursor.toArray()).map(d => d.n);
    assert.deepEqual(await numbers(c.find().sort({ n: 1 }).skip(5).limit(3)), [5, 6, 7]);
    await c.createIndex({ n: 1 });
    assert.deepEqual(await numbers(c.find().sort({ n: -1 }).skip(5).limit(3)), [44, 43, 42]);
    assert.deepEqual(await numbers(c.find().sort({ n: 1 }).skip(48).limit(10)), [48, 49]);
  });

  it('goes back over the order of insertion with $natural', async () => {
    const c = await suite.collection([{ _id: 2 }, { _id: 1 }, { _id: 3 }]);
    assert.deepEqual(await ids(c.find().sort({ $natural: -1 })), [3, 1, 2]);
  });

  it('refuses a direction other than 1 and -1', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    const find = (sort: Document) => suite.db().command({ find: c.collectionName, sort });
    await refused(find({ a: 2 }), 15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    await refused(find({ a: 'x' }), 15974, 'Illegal key in $sort specification: a: "x"');
    await refused(find({ '': 1 }), 40352);
    await refused(find({ $a: 1 }), 16410);
  });

  it('refuses to sort by two arrays of a document', async () => {
    const c = await suite.collection([{ _id: 1, a: [1], b: [2] }]);
    await refused(c.find().sort({ a: 1, b: 1 }).toArray(), 2, /cannot sort with keys that are parallel arrays/);
  });
});
