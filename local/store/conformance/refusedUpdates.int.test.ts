import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { exact, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

const { Long } = BSON;
const RAW = { promoteValues: false, promoteLongs: false } as const;

conformance('refused updates', suite => {
  const cases: [string, Document, Document, number, (string | RegExp)?][] = [
    ['unknown operator', {}, { $foo: { a: 1 } }, 9, /^Unknown modifier: \$foo/],
    ['argument that is no document', {}, { $set: 1 }, 9, /^Modifiers operate on fields but we found type int/],
    [
      'same path twice',
      {},
      { $set: { a: 1 }, $inc: { a: 1 } },
      40,
      "Updating the path 'a' would create a conflict at 'a'",
    ],
    [
      'path and its part',
      {},
      { $set: { a: 1, 'a.b': 1 } },
      40,
      "Updating the path 'a.b' would create a conflict at 'a'",
    ],
    [
      'other _id',
      {},
      { $set: { _id: 2 } },
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    ['$unset of _id', {}, { $unset: { _id: 1 } }, 66],
    [
      '$inc of text',
      { a: 'x' },
      { $inc: { a: 1 } },
      14,
      "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type string",
    ],
    ['$inc by text', {}, { $inc: { a: 'x' } }, 14, 'Cannot increment with non-numeric argument: {a: "x"}'],
    ['$inc of null', { a: null }, { $inc: { a: 1 } }, 14],
    [
      '$inc beyond int64',
      { a: Long.MAX_VALUE },
      { $inc: { a: 1 } },
      2,
      /^Failed to apply \$inc operations to current value/,
    ],
    ['$mul of text', { a: 'x' }, { $mul: { a: 1 } }, 14],
    [
      '$push to no array',
      { a: 1 },
      { $push: { a: 1 } },
      2,
      "The field 'a' must be an array but is of type int in document {_id: 1}",
    ],
    ['$push with $each that is no array', {}, { $push: { a: { $each: 1 } } }, 2],
    [
      '$push with unknown modifier',
      {},
      { $push: { a: { $each: [1], $foo: 1 } } },
      2,
      'Unrecognized clause in $push: $foo',
    ],
    ['$addToSet to no array', { a: 1 }, { $addToSet: { a: 1 } }, 2],
    ['$pull from no array', { a: 1 }, { $pull: { a: 1 } }, 2, 'Cannot apply $pull to a non-array value'],
    ['$pop from no array', { a: 1 }, { $pop: { a: 1 } }, 14],
    ['$pop by 2', { a: [1] }, { $pop: { a: 2 } }, 9, '$pop expects 1 or -1, found: 2'],
    ['$rename to itself', {}, { $rename: { a: 'a' } }, 2],
    ['$rename through an array', { a: [{ b: 1 }] }, { $rename: { 'a.0.b': 'c' } }, 2],
    ['$bit by a fraction', { a: 1 }, { $bit: { a: { and: 1.5 } } }, 2],
    ['path into text', { a: 'x' }, { $set: { 'a.b': 1 } }, 28, `Cannot create field 'b' in element {a: "x"}`],
    [
      'path into an array by name',
      { a: [1] },
      { $set: { 'a.b': 1 } },
      28,
      "Cannot create field 'b' in element {a: [ 1 ]}",
    ],
    ['empty path', {}, { $set: { '': 1 } }, 56, 'An empty update path is not valid.'],
    ['empty component', {}, { $set: { 'a..b': 1 } }, 56],
    ['path with dollar', {}, { $set: { $a: 1 } }, 52],
    [
      'position without a match',
      { a: [1] },
      { $set: { 'a.$': 1 } },
      2,
      'The positional operator did not find the match needed from the query.',
    ],
    [
      'all elements of no array',
      { a: 1 },
      { $set: { 'a.$[]': 1 } },
      2,
      'Cannot apply array updates to non-array element a: 1',
    ],
    [
      'all elements of nothing',
      {},
      { $set: { 'a.$[]': 1 } },
      2,
      "The path 'a' must exist in the document in order to apply array updates.",
    ],
    [
      'no array filter',
      { a: [1] },
      { $set: { 'a.$[x]': 1 } },
      2,
      "No array filter found for identifier 'x' in path 'a.$[x]'",
    ],
    ['pipeline with another stage', {}, [{ $match: {} }], 72, '$match is not allowed to be used within an update'],
  ];
  for (const [name, before, update, code, text] of cases) {
    it(name, async () => {
      const c = await suite.collection([{ _id: 1, ...before }]);
      await refused(c.updateOne({ _id: 1 }, update), code, text);
      assert.equal(exact(await c.findOne({ _id: 1 }, RAW)), exact({ _id: 1, ...before }));
    });
  }

  it('an array filter that is not used', async () => {
    const c = await suite.collection([{ _id: 1, a: [1] }]);
    const options = { arrayFilters: [{ x: 1 }, { y: 1 }] };
    await refused(c.updateOne({ _id: 1 }, { $set: { 'a.$[x]': 1 } }, options), 9, /identifier 'y' was not used/);
  });

  it('a replacement of many', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    const updates = [{ q: {}, u: { a: 1 }, multi: true }];
    const { writeErrors } = await suite.db().command({ update: c.collectionName, updates });
    assert.equal(writeErrors[0].code, 9);
    assert.equal(writeErrors[0].errmsg, 'multi update is not supported for replacement-style update');
  });

  it('a replacement with another _id', async () => {
    const c = await suite.collection([{ _id: 1 }]);
    await refused(c.replaceOne({ _id: 1 }, { _id: 2 }), 66);
  });

  it('stops an ordered batch, and goes on with an unordered one', async () => {
    const c = await suite.collection([{ _id: 1, n: 0 }]);
    const updates = [
      { q: { _id: 1 }, u: { $inc: { n: 'x' } } },
      { q: { _id: 1 }, u: { $inc: { n: 1 } } },
    ];
    const ordered = await suite.db().command({ update: c.collectionName, updates });
    assert.deepEqual([ordered.n, ordered.nModified, ordered.writeErrors.length], [0, 0, 1]);
    const unordered = await suite.db().command({ update: c.collectionName, updates, ordered: false });
    assert.deepEqual([unordered.n, unordered.nModified, unordered.writeErrors[0].index], [1, 1, 0]);
  });
});
