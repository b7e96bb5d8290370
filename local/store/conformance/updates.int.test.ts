import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { conformance, type Document } from './servers.ts';
import { updateCases } from './updateCases.ts';

const { Double, Long } = BSON;

const L = (n: number) => Long.fromNumber(n);
const D = (n: number) => new Double(n);

conformance('updates of fields', suite => {
  updateCases(suite, [
    [{ a: 1 }, { $set: { a: 2 } }, { a: 2 }],
    [{ a: 1 }, { $set: { a: 1 } }, { a: 1 }],
    [{ a: 1 }, { $set: { a: D(1) } }, { a: D(1) }],
    [{ a: 1 }, { $set: { 'b.c.d': 1 } }, { a: 1, b: { c: { d: 1 } } }],
    [{ a: { x: 1, y: 2 } }, { $set: { 'a.y': 3 } }, { a: { x: 1, y: 3 } }],
    [{ a: [1, 2] }, { $set: { 'a.1': 9 } }, { a: [1, 9] }],
    [{ a: [1] }, { $set: { 'a.3': 9 } }, { a: [1, null, null, 9] }],
    [{ a: [{ x: 1 }] }, { $set: { 'a.0.y': 2 } }, { a: [{ x: 1, y: 2 }] }],
    [{}, { $set: { 'a.0': 1 } }, { a: { 0: 1 } }],
    [{}, { $set: { z: 1, b: 2, 'y.b': 3, 'y.a': 4 } }, { b: 2, y: { a: 4, b: 3 }, z: 1 }],
    [{ a: 1, b: 2 }, { $unset: { a: '' } }, { b: 2 }],
    [{ a: 1 }, { $unset: { b: '' } }, { a: 1 }],
    [{ a: { b: 1, c: 2 } }, { $unset: { 'a.b': '' } }, { a: { c: 2 } }],
    [{ a: 5 }, { $unset: { 'a.b': '' } }, { a: 5 }],
    [{ a: 1 }, { $inc: { a: 2 } }, { a: 3 }],
    [{}, { $inc: { a: 2 } }, { a: 2 }],
    [{ a: 1 }, { $inc: { a: 0 } }, { a: 1 }],
    [{ a: 2147483647 }, { $inc: { a: 1 } }, { a: Long.fromString('2147483648') }],
    [{ a: -2147483648 }, { $inc: { a: -1 } }, { a: Long.fromString('-2147483649') }],
    [{ a: 1 }, { $inc: { a: L(1) } }, { a: L(2) }],
    [{ a: L(5) }, { $inc: { a: -5 } }, { a: L(0) }],
    [{ a: 1 }, { $inc: { a: 0.5 } }, { a: 1.5 }],
    [{ a: 1.5 }, { $inc: { a: 0.5 } }, { a: D(2) }],
    [{ a: 3 }, { $mul: { a: 4 } }, { a: 12 }],
    [{ a: 65536 }, { $mul: { a: 65536 } }, { a: Long.fromString('4294967296') }],
    [{}, { $mul: { a: 4 } }, { a: 0 }],
    [{}, { $mul: { a: 1.5 } }, { a: D(0) }],
    [{ a: 5 }, { $min: { a: 3 } }, { a: 3 }],
    [{ a: 5 }, { $min: { a: 7 } }, { a: 5 }],
    [{ a: 5 }, { $max: { a: '1' } }, { a: '1' }],
    [{ a: 5 }, { $max: { a: null } }, { a: 5 }],
    [{}, { $max: { a: -1 } }, { a: -1 }],
    [{ a: new Date(5) }, { $max: { a: new Date(9) } }, { a: new Date(9) }],
    [{ a: 1, b: 2 }, { $rename: { a: 'c' } }, { b: 2, c: 1 }],
    [{ a: 1, b: 2 }, { $rename: { a: 'b' } }, { b: 1 }],
    [{ a: { x: 1 } }, { $rename: { 'a.x': 'b.y' } }, { a: {}, b: { y: 1 } }],
    [{ a: 1 }, { $rename: { z: 'y' } }, { a: 1 }],
    [{ a: 13 }, { $bit: { a: { and: 10 } } }, { a: 8 }],
    [{ a: 3 }, { $bit: { a: { or: 5, xor: 1 } } }, { a: 6 }],
    [{ a: 3 }, { $bit: { a: { or: L(4) } } }, { a: L(7) }],
    [{ a: 1 }, { $setOnInsert: { b: 1 } }, { a: 1 }],
    [
      { a: 1, b: 1, c: 1 },
      { $set: { a: 2 }, $inc: { b: 1 }, $unset: { c: 1 } },
      { a: 2, b: 2 },
    ],
    [{ a: 1 }, { $set: {} }, { a: 1 }],
    [{ a: 1 }, [{ $set: { b: { $add: ['$a', 1] }, a: '$$REMOVE' } }], { b: 2 }],
    [{ a: 1, b: 2 }, [{ $unset: 'a' }, { $set: { c: ['$b', 3] } }], { b: 2, c: [2, 3] }],
    [{ a: 1, b: 2 }, [{ $replaceWith: { z: '$a' } }], { z: 1 }],
    [{ a: { b: 1 } }, [{ $set: { a: { c: 2 } } }], { a: { b: 1, c: 2 } }],
  ]);

  it('sets the current date', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    const update: Document = { $currentDate: { d: true, t: { $type: 'timestamp' } } };
    await c.updateOne({ _id: 1 }, update);
    const found = (await c.findOne({ _id: 1 }))!;
    assert.ok(found.d instanceof Date && Math.abs(Date.now() - found.d.getTime()) < 60_000);
    assert.equal(found.t._bsontype, 'Timestamp');
  });

  it('updates one of several that match, or all', async () => {
    const c = await suite.collection([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: 2 },
    ]);
    assert.equal((await c.updateOne({ a: 1 }, { $set: { b: 1 } })).modifiedCount, 1);
    const all = await c.updateMany({ a: 1 }, { $set: { b: 1 } });
    assert.deepEqual([all.matchedCount, all.modifiedCount], [2, 1]);
  });

  it('updates no document twice when it moves in the index it is found by', async () => {
    const c = await suite.collection(Array.from({ length: 200 }, (_, _id) => ({ _id, n: _id })));
    await c.createIndex({ n: 1 });
    await c.updateMany({ n: { $gte: 0 } }, { $inc: { n: 1000 } });
    const found = await c.find().toArray();
    assert.ok(found.every(d => d.n === d._id + 1000));
  });
});
