import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { exact, refused } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

const { Double, Long } = BSON;
const RAW = { promoteValues: false, promoteLongs: false } as const;

const sales = [
  { _id: 1, item: 'a', qty: 2, price: 10, tags: ['x', 'y'], at: new Date('2024-01-05T10:00:00Z') },
  { _id: 2, item: 'b', qty: 1, price: 20, tags: ['y'], at: new Date('2024-01-06T11:30:00Z') },
  { _id: 3, item: 'a', qty: 5, price: 10.5, tags: [], at: new Date('2024-02-01T00:00:00Z') },
  { _id: 4, item: 'c', qty: 10, price: 5, at: new Date('2024-02-29T23:59:59Z') },
  { _id: 5, item: null, qty: 0, price: 1, tags: null },
  { _id: 6, qty: Long.fromNumber(3), price: 2, tags: 'z' },
];

conformance('aggregation stages', suite => {
  /** A pipeline over the sales, and its results; those of an unordered stage are sorted in the pipeline. */
  const cases: [Document[], Document[]][] = [
    [
      [{ $match: { item: 'a' } }, { $project: { qty: 1 } }],
      [
        { _id: 1, qty: 2 },
        { _id: 3, qty: 5 },
      ],
    ],
    [[{ $match: { _id: 1 } }, { $project: { _id: 0, total: { $multiply: ['$qty', '$price'] } } }], [{ total: 20 }]],
    [[{ $match: { _id: 1 } }, { $project: { tags: 0, at: 0, price: 0 } }], [{ _id: 1, item: 'a', qty: 2 }]],
    [
      [{ $group: { _id: '$item', n: { $sum: 1 }, qty: { $sum: '$qty' } } }, { $sort: { _id: 1 } }],
      [
        { _id: null, n: 2, qty: Long.fromNumber(3) },
        { _id: 'a', n: 2, qty: 7 },
        { _id: 'b', n: 1, qty: 1 },
        { _id: 'c', n: 1, qty: 10 },
      ],
    ],
    [
      [
        { $match: { item: 'a' } },
        { $group: { _id: null, avg: { $avg: '$qty' }, min: { $min: '$price' }, max: { $max: '$price' } } },
      ],
      [{ _id: null, avg: 3.5, min: 10, max: 10.5 }],
    ],
    [
      [
        { $sort: { _id: 1 } },
        { $group: { _id: 1, first: { $first: '$item' }, last: { $last: '$item' }, all: { $push: '$item' } } },
      ],
      [{ _id: 1, first: 'a', last: null, all: ['a', 'b', 'a', 'c', null] }],
    ],
    [[{ $match: { item: 'a' } }, { $group: { _id: { i: '$item' }, n: { $count: {} } } }], [{ _id: { i: 'a' }, n: 2 }]],
    [
      [{ $group: { _id: null, s: { $sum: '$price' }, none: { $sum: '$item' }, avg: { $avg: '$item' } } }],
      [{ _id: null, s: 48.5, none: 0, avg: null }],
    ],
    [
      [
        { $match: { item: 'a' } },
        { $group: { _id: '$item', merged: { $mergeObjects: { k: '$qty' } }, sd: { $stdDevPop: '$qty' } } },
      ],
      [{ _id: 'a', merged: { k: 5 }, sd: 1.5 }],
    ],
    [
      [{ $unwind: '$tags' }, { $project: { tags: 1 } }],
      [
        { _id: 1, tags: 'x' },
        { _id: 1, tags: 'y' },
        { _id: 2, tags: 'y' },
        { _id: 6, tags: 'z' },
      ],
    ],
    [
      [
        { $unwind: { path: '$tags', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } },
        { $project: { tags: 1, i: 1 } },
        { $match: { _id: { $in: [1, 3, 5, 6] } } },
      ],
      [
        { _id: 1, tags: 'x', i: Long.fromNumber(0) },
        { _id: 1, tags: 'y', i: Long.fromNumber(1) },
        { _id: 3, i: null },
        { _id: 5, tags: null, i: null },
        { _id: 6, tags: 'z', i: null },
      ],
    ],
    [
      [{ $sort: { qty: -1 } }, { $limit: 2 }, { $project: { qty: 1 } }],
      [
        { _id: 4, qty: 10 },
        { _id: 3, qty: 5 },
      ],
    ],
    [[{ $sort: { _id: 1 } }, { $skip: 4 }, { $limit: 1 }, { $project: { qty: 1 } }], [{ _id: 5, qty: 0 }]],
    [[{ $match: { qty: { $gt: 1 } } }, { $count: 'n' }], [{ n: 4 }]],
    [[{ $match: { qty: 99 } }, { $count: 'n' }], []],
    [
      [{ $match: { _id: 5 } }, { $set: { double: { $multiply: ['$price', 2] }, 'deep.er': '$qty' } }],
      [{ _id: 5, item: null, qty: 0, price: 1, tags: null, double: 2, deep: { er: 0 } }],
    ],
    [
      [{ $match: { _id: 5 } }, { $addFields: { price: '$$REMOVE', tags: { a: 1 } } }],
      [{ _id: 5, item: null, qty: 0, tags: { a: 1 } }],
    ],
    [[{ $match: { _id: 5 } }, { $unset: ['price', 'tags'] }], [{ _id: 5, item: null, qty: 0 }]],
    [[{ $match: { _id: 5 } }, { $replaceRoot: { newRoot: { v: '$qty' } } }], [{ v: 0 }]],
    [[{ $match: { _id: 1 } }, { $replaceWith: { $mergeObjects: [{ z: 1 }, { q: '$qty' }] } }], [{ z: 1, q: 2 }]],
    [[{ $unwind: '$tags' }, { $sortByCount: '$tags' }, { $limit: 1 }], [{ _id: 'y', count: 2 }]],
    [
      [
        {
          $facet: { n: [{ $count: 'n' }], top: [{ $sort: { price: -1 } }, { $limit: 1 }, { $project: { price: 1 } }] },
        },
      ],
      [{ n: [{ n: 6 }], top: [{ _id: 2, price: 20 }] }],
    ],
    [
      [{ $match: { $expr: { $gt: ['$qty', '$price'] } } }, { $project: { qty: 1 } }],
      [
        { _id: 4, qty: 10 },
        { _id: 6, qty: Long.fromNumber(3) },
      ],
    ],
    [
      [
        { $match: { _id: { $lte: 2 } } },
        { $group: { _id: null, s: { $addToSet: '$price' } } },
        { $project: { n: { $size: '$s' } } },
      ],
      [{ _id: null, n: 2 }],
    ],
    [
      [{ $match: { _id: 1 } }, { $project: { when: { $dateToString: { date: '$at', format: '%Y-%m' } } } }],
      [{ _id: 1, when: '2024-01' }],
    ],
    [
      [
        { $match: { at: { $exists: true } } },
        { $group: { _id: { $month: '$at' }, n: { $sum: 1 } } },
        { $sort: { _id: 1 } },
      ],
      [
        { _id: 1, n: 2 },
        { _id: 2, n: 2 },
      ],
    ],
    [[{ $limit: 1 }, { $project: { _id: 0, n: { $literal: 1 } } }, { $unionWith: { coll: 'nowhere' } }], [{ n: 1 }]],
  ];
  for (const [pipeline, expected] of cases) {
    it(exact(pipeline), async () => {
      const c = await suite.collection(sales);
      const found = await c.aggregate(pipeline, RAW).toArray();
      assert.deepEqual(found.map(exact), expected.map(exact));
    });
  }

  it('adds decimal fractions without drifting', async () => {
    const c = await suite.collection(Array.from({ length: 10 }, () => ({ v: 0.1 })));
    const [{ s }] = (await c.aggregate([{ $group: { _id: null, s: { $sum: '$v' } } }]).toArray()) as [Document];
    assert.equal(s, 1);
  });

  it('keeps the types of sums', async () => {
    const c = await suite.collection([
      { i: 2147483647, d: new Double(1), l: Long.fromNumber(1) },
      { i: 1, d: 1, l: 1 },
    ]);
    const sums = { _id: null, i: { $sum: '$i' }, d: { $sum: '$d' }, l: { $sum: '$l' }, a: { $avg: '$l' } };
    const [found] = await c.aggregate([{ $group: sums }], RAW).toArray();
    const expected = {
      _id: null,
      i: Long.fromNumber(2147483648),
      d: new Double(2),
      l: Long.fromNumber(2),
      a: new Double(1),
    };
    assert.equal(exact(found), exact(expected));
  });

  it('runs nothing on a collection that does not exist', async () => {
    assert.deepEqual(
      await suite
        .db()
        .collection('nowhere')
        .aggregate([{ $group: { _id: null, n: { $sum: 1 } } }])
        .toArray(),
      [],
    );
  });

  it('takes the variables of let', async () => {
    const c = await suite.collection(sales);
    const found = await c
      .aggregate([{ $match: { $expr: { $eq: ['$item', '$$wanted'] } } }, { $project: { w: '$$wanted' } }], {
        let: { wanted: 'b' },
      })
      .toArray();
    assert.deepEqual(found, [{ _id: 2, w: 'b' }]);
  });

  const refusals: [Document[], number, (string | RegExp)?][] = [
    [[{ $foo: {} }], 40324, "Unrecognized pipeline stage name: '$foo'"],
    [[{ $match: 1 }], 15959, 'the match filter must be an expression in an object'],
    [[{ $limit: 0 }], 15958, 'the limit must be positive'],
    [[{ $group: {} }], 15955, 'a group specification must include an _id'],
    [[{ $group: { _id: 1, n: 1 } }], 40234, "The field 'n' must be an accumulator object"],
    [[{ $group: { _id: 1, n: { $foo: 1 } } }], 15952, "unknown group operator '$foo'"],
    [[{ $unwind: 'tags' }], 28818, "path option to $unwind stage should be prefixed with a '$': tags"],
    [[{ $project: {} }], 51272],
    [
      [{ $project: { a: 1, b: 0 } }],
      31254,
      'Invalid $project :: caused by :: Cannot do exclusion on field b in inclusion projection',
    ],
    [[{ $project: { a: '$$nope' } }], 17276, 'Invalid $project :: caused by :: Use of undefined variable: nope'],
    [[{ $sort: {} }], 15976],
    [[{ $count: '$n' }], 40158],
    [[{ $replaceRoot: { newRoot: '$qty' } }], 40228],
    [[{ $lookup: { from: 'x', as: 'y', localField: 'z' } }], 9],
    [
      [{ $project: { x: { $divide: ['$qty', 0] } } }],
      2,
      "PlanExecutor error during aggregation :: caused by :: can't $divide by zero",
    ],
    [[{ $project: { x: { $add: ['$item', 1] } } }], 16554],
  ];
  for (const [pipeline, code, text] of refusals) {
    it(`refuses ${exact(pipeline)}`, async () => {
      const c = await suite.collection(sales);
      await refused(c.aggregate(pipeline).toArray(), code, text);
    });
  }
});
