import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { conformance, type Document } from './servers.ts';
import { updateCases } from './updateCases.ts';

const { Double } = BSON;

const D = (n: number) => new Double(n);

conformance('updates of arrays', suite => {
  updateCases(suite, [
    [{ a: [1] }, { $push: { a: 2 } }, { a: [1, 2] }],
    [{}, { $push: { a: [1] } }, { a: [[1]] }],
    [{ a: [1] }, { $push: { a: { $each: [3, 2] } } }, { a: [1, 3, 2] }],
    [{ a: [5, 1] }, { $push: { a: { $each: [3], $sort: 1 } } }, { a: [1, 3, 5] }],
    [{ a: [1, 2, 3] }, { $push: { a: { $each: [4], $slice: -2 } } }, { a: [3, 4] }],
    [{ a: [1, 2, 3] }, { $push: { a: { $each: [4], $slice: 2 } } }, { a: [1, 2] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [9], $position: 1 } } }, { a: [1, 9, 2] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [9], $position: -1 } } }, { a: [1, 9, 2] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [9, 8], $position: 0, $sort: -1, $slice: 3 } } }, { a: [9, 8, 2] }],
    [
      { a: [{ n: 2 }, { n: 1 }] },
      { $push: { a: { $each: [{ n: 0 }], $sort: { n: 1 } } } },
      { a: [{ n: 0 }, { n: 1 }, { n: 2 }] },
    ],
    [{ a: [1] }, { $push: { a: { $each: [] } } }, { a: [1] }],
    [{}, { $push: { 'a.b': 1 } }, { a: { b: [1] } }],
    [{ a: [1, 2] }, { $addToSet: { a: 2 } }, { a: [1, 2] }],
    [{ a: [1, 2] }, { $addToSet: { a: D(2) } }, { a: [1, 2] }],
    [{ a: [1] }, { $addToSet: { a: { $each: [3, 1, 3] } } }, { a: [1, 3] }],
    [
      { a: [{ x: 1, y: 2 }] },
      { $addToSet: { a: { y: 2, x: 1 } } },
      {
        a: [
          { x: 1, y: 2 },
          { y: 2, x: 1 },
        ],
      },
    ],
    [{}, { $addToSet: { a: 1 } }, { a: [1] }],
    [{ a: [1, 2, 3] }, { $pop: { a: 1 } }, { a: [1, 2] }],
    [{ a: [1, 2, 3] }, { $pop: { a: -1 } }, { a: [2, 3] }],
    [{ a: [] }, { $pop: { a: 1 } }, { a: [] }],
    [{ a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
    [{ a: [1, 5, 9] }, { $pull: { a: { $gt: 3, $lt: 8 } } }, { a: [1, 9] }],
    [{ a: ['x1', 'y', 'x2'] }, { $pull: { a: /^x/ } }, { a: ['y'] }],
    [{ a: [{ x: 1, y: 1 }, { x: 2 }] }, { $pull: { a: { x: 1 } } }, { a: [{ x: 2 }] }],
    [{ a: [{ x: [1, 2] }, { x: [3] }] }, { $pull: { a: { x: { $elemMatch: { $gte: 3 } } } } }, { a: [{ x: [1, 2] }] }],
    [{ a: [{ b: [1, 2] }, { b: [2] }] }, { $pull: { 'a.$[].b': 2 } }, { a: [{ b: [1] }, { b: [] }] }],
    [{ a: [1, 2, 3, 1] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
    [{ a: [1, 2] }, { $pull: { a: { $in: [2, 7] } } }, { a: [1] }],
    [{ a: [1, 2] }, { $unset: { 'a.0': 1 } }, { a: [null, 2] }],
    [{ a: [1, 2] }, { $inc: { 'a.$[]': 10 } }, { a: [11, 12] }],
    [
      { a: [{ n: 1 }, { n: 2 }] },
      { $set: { 'a.$[].m': 0 } },
      {
        a: [
          { n: 1, m: 0 },
          { n: 2, m: 0 },
        ],
      },
    ],
    [
      { a: [[1], [2]] },
      { $push: { 'a.$[]': 0 } },
      {
        a: [
          [1, 0],
          [2, 0],
        ],
      },
    ],
    [{ a: [1, 5, 9] }, { $set: { 'a.$[big]': 0 } }, { a: [1, 0, 0] }, { arrayFilters: [{ big: { $gt: 3 } }] }],
    [
      {
        a: [
          { k: 1, n: 1 },
          { k: 2, n: 1 },
        ],
      },
      { $inc: { 'a.$[x].n': 5 } },
      {
        a: [
          { k: 1, n: 1 },
          { k: 2, n: 6 },
        ],
      },
      { arrayFilters: [{ 'x.k': 2 }] },
    ],
    [
      { a: [{ b: [{ c: 1 }, { c: 2 }] }, { b: [{ c: 2 }] }] },
      { $set: { 'a.$[].b.$[e].c': 9 } },
      { a: [{ b: [{ c: 1 }, { c: 9 }] }, { b: [{ c: 9 }] }] },
      { arrayFilters: [{ 'e.c': 2 }] },
    ],
    [
      { a: [{ k: 1, on: true }, { k: 1 }] },
      { $set: { 'a.$[x].hit': 1 } },
      { a: [{ k: 1, on: true, hit: 1 }, { k: 1 }] },
      { arrayFilters: [{ $and: [{ 'x.k': 1 }, { 'x.on': true }] }] },
    ],
    [{ a: [1, 5, 5] }, { $set: { 'a.$': 0 } }, { a: [1, 0, 5] }, { filter: { a: 5 } }],
    [{ a: [1, 5, 7] }, { $set: { 'a.$': 0 } }, { a: [1, 0, 7] }, { filter: { a: { $gt: 3 } } }],
    [
      {
        a: [
          { k: 1, n: 1 },
          { k: 2, n: 1 },
        ],
      },
      { $inc: { 'a.$.n': 1 } },
      {
        a: [
          { k: 1, n: 1 },
          { k: 2, n: 2 },
        ],
      },
      { filter: { 'a.k': 2 } },
    ],
    [
      {
        a: [
          { k: 1, n: 1 },
          { k: 1, n: 9 },
        ],
      },
      { $set: { 'a.$.n': 0 } },
      {
        a: [
          { k: 1, n: 1 },
          { k: 1, n: 0 },
        ],
      },
      { filter: { a: { $elemMatch: { k: 1, n: { $gt: 5 } } } } },
    ],
  ]);

  it('moves an element between two arrays of a document at once', async () => {
    const c = await suite.collection([
      {
        _id: 1,
        open: [
          { id: 'a', q: 2 },
          { id: 'b', q: 3 },
        ],
        done: [],
        free: 5,
      },
    ]);
    const update: Document = { $pull: { open: { id: 'b' } }, $push: { done: { id: 'b', q: 3 } }, $inc: { free: 3 } };
    const result = await c.updateOne({ _id: 1, 'open.id': 'b' }, update);
    assert.equal(result.modifiedCount, 1);
    assert.deepEqual(await c.findOne(), { _id: 1, open: [{ id: 'a', q: 2 }], done: [{ id: 'b', q: 3 }], free: 8 });
  });
});
