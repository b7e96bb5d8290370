import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { ids } from './asserts.ts';
import { conformance, type Document } from './servers.ts';

const { Binary, Decimal128, Double, Long, ObjectId, UUID, MinKey, MaxKey } = BSON;

/** A topic: documents, and filters with the ids they must find in the order of insertion. */
function table(
  suite: Parameters<Parameters<typeof conformance>[1]>[0],
  topic: string,
  documents: Document[],
  cases: [Document, unknown[]][],
) {
  for (const [filter, expected] of cases) {
    const text = BSON.EJSON.stringify(filter).replace(/\0/g, '\\0');
    it(`${topic}: ${text}`, async () => {
      const c = await suite.collection(documents);
      assert.deepEqual(await ids(c.find(filter)), expected);
    });
  }
}

conformance('queries: null and missing', suite => {
  const documents = [
    { _id: 'missing' },
    { _id: 'null', a: null },
    { _id: 'one', a: 1 },
    { _id: 'empty', a: [] },
    { _id: 'has null', a: [1, null] },
    { _id: 'doc', a: { b: 1 } },
    { _id: 'doc null', a: { b: null } },
    { _id: 'docs', a: [{ b: 1 }, { c: 1 }] },
  ];
  table(suite, 'null', documents, [
    [{ a: null }, ['missing', 'null', 'has null']],
    [{ a: { $ne: null } }, ['one', 'empty', 'doc', 'doc null', 'docs']],
    [{ a: { $exists: false } }, ['missing']],
    [{ a: { $exists: true } }, ['null', 'one', 'empty', 'has null', 'doc', 'doc null', 'docs']],
    [{ a: { $type: 'null' } }, ['null', 'has null']],
    [{ a: { $in: [null, 1] } }, ['missing', 'null', 'one', 'has null']],
    [{ a: { $nin: [null] } }, ['one', 'empty', 'doc', 'doc null', 'docs']],
    [{ 'a.b': null }, ['missing', 'null', 'one', 'doc null', 'docs']],
    [{ 'a.b': { $ne: null } }, ['empty', 'has null', 'doc']],
    [{ 'a.b': { $exists: false } }, ['missing', 'null', 'one', 'empty', 'has null']],
    [{ a: { $gte: null } }, ['missing', 'null', 'has null']],
    [{ a: { $gt: null } }, []],
    [{ a: { $not: { $gt: 0 } } }, ['missing', 'null', 'empty', 'doc', 'doc null', 'docs']],
    [{ $nor: [{ a: 1 }] }, ['missing', 'null', 'empty', 'doc', 'doc null', 'docs']],
  ]);
});

conformance('queries: arrays', suite => {
  const documents = [
    { _id: 1, a: [1, 2, 3] },
    { _id: 2, a: [3, 2, 1] },
    { _id: 3, a: [[1, 2, 3]] },
    { _id: 4, a: 2 },
    { _id: 5, a: [] },
    { _id: 6, a: [[]] },
    {
      _id: 7,
      a: [
        { x: 1, y: 9 },
        { x: 5, y: 1 },
      ],
    },
    { _id: 8, a: [{ x: [1, 5] }] },
    { _id: 9, a: [10, 20] },
  ];
  table(suite, 'array', documents, [
    [{ a: 2 }, [1, 2, 4]],
    [{ a: [1, 2, 3] }, [1, 3]],
    [{ a: [] }, [5, 6]],
    [{ a: { $size: 2 } }, [7, 9]],
    [{ a: { $size: 0 } }, [5]],
    [{ a: { $all: [1, 2] } }, [1, 2]],
    [{ a: { $all: [[1, 2, 3]] } }, [1, 3]],
    [{ a: { $all: [2] } }, [1, 2, 4]],
    [{ a: { $all: [] } }, []],
    [{ a: { $gt: 15 } }, [9]],
    [{ a: { $gt: 12, $lt: 15 } }, [9]],
    [{ a: { $elemMatch: { $gt: 12, $lt: 15 } } }, []],
    [{ a: { $elemMatch: { $gte: 2, $lt: 3 } } }, [1, 2]],
    [{ a: { $elemMatch: { x: 1, y: 1 } } }, []],
    [{ 'a.x': 1, 'a.y': 1 }, [7]],
    [{ a: { $elemMatch: { x: 5, y: { $lt: 2 } } } }, [7]],
    [{ 'a.x': 5 }, [7, 8]],
    [{ 'a.0': 1 }, [1]],
    [{ 'a.0.x': 1 }, [7, 8]],
    [{ 'a.1': { $exists: true } }, [1, 2, 7, 9]],
    [{ 'a.0.1': 2 }, [3]],
    [{ a: { x: 1, y: 9 } }, [7]],
    [{ a: { y: 9, x: 1 } }, []],
    [{ a: { $in: [3, 20] } }, [1, 2, 9]],
    [{ a: { $nin: [2, 10] } }, [3, 5, 6, 7, 8]],
    [{ a: { $ne: 2 } }, [3, 5, 6, 7, 8, 9]],
    [{ a: { $type: 'array' } }, [1, 2, 3, 5, 6, 7, 8, 9]],
    [{ a: { $type: 'int' } }, [1, 2, 4, 9]],
    [{ a: { $not: { $elemMatch: { $gt: 2 } } } }, [3, 4, 5, 6, 7, 8]],
    [{ a: { $all: [{ $elemMatch: { x: 1 } }, { $elemMatch: { x: 5 } }] } }, [7, 8]],
    [{ a: { $elemMatch: { $elemMatch: { $eq: 2 } } } }, [3]],
    [{ a: { $elemMatch: {} } }, [3, 6, 7, 8]],
    [{ a: { $lt: [2] } }, [1, 3, 5, 6]],
  ]);
});

conformance('queries: numbers', suite => {
  const documents = [
    { _id: 'int', n: 1 },
    { _id: 'double', n: new Double(1) },
    { _id: 'long', n: Long.fromNumber(1) },
    { _id: 'decimal', n: Decimal128.fromString('1.0') },
    { _id: 'half', n: 1.5 },
    { _id: 'big', n: Long.fromString('9007199254740993') },
    { _id: 'near big', n: 9007199254740992 },
    { _id: 'text', n: '1' },
    { _id: 'nan', n: Number.NaN },
    { _id: 'inf', n: Number.POSITIVE_INFINITY },
    { _id: 'true', n: true },
    { _id: 'zero', n: -0 },
  ];
  table(suite, 'number', documents, [
    [{ n: 1 }, ['int', 'double', 'long', 'decimal']],
    [{ n: Long.fromNumber(1) }, ['int', 'double', 'long', 'decimal']],
    [{ n: Long.fromString('9007199254740993') }, ['big']],
    [{ n: { $gt: 9007199254740992 } }, ['big', 'inf']],
    [{ n: { $gte: 1, $lt: 2 } }, ['int', 'double', 'long', 'decimal', 'half']],
    [{ n: Number.NaN }, ['nan']],
    [{ n: { $lt: 1 } }, ['zero']],
    [{ n: { $lte: Number.NaN } }, ['nan']],
    [{ n: 0 }, ['zero']],
    [{ n: { $type: 'int' } }, ['int']],
    [{ n: { $type: ['double', 18] } }, ['double', 'long', 'half', 'big', 'near big', 'nan', 'inf', 'zero']],
    [{ n: { $type: 'number' } }, documents.map(d => d._id).filter(x => x !== 'text' && x !== 'true')],
    [{ n: { $mod: [2, 1] } }, ['int', 'double', 'long', 'decimal', 'half', 'big']],
    [{ n: { $in: [1.5, Number.POSITIVE_INFINITY] } }, ['half', 'inf']],
    [{ n: { $bitsAllSet: 1 } }, ['int', 'double', 'long', 'decimal', 'big']],
    [{ n: { $bitsAnyClear: [0] } }, ['near big', 'zero']],
    [{ n: true }, ['true']],
    [{ n: { $gt: new MinKey() } }, documents.map(d => d._id)],
    [{ n: { $lt: new MaxKey() } }, documents.map(d => d._id)],
  ]);
});

conformance('queries: strings and others', suite => {
  const documents = [
    { _id: 'a', s: 'apple' },
    { _id: 'A', s: 'Apple' },
    { _id: 'u', s: 'äpfel' },
    { _id: 'e', s: '😀 smile' },
    { _id: 'p', s: '\uff5e tilde' },
    { _id: 'n', s: 'two\nlines' },
    { _id: 'z', s: 'nul\0byte' },
    { _id: 'd', s: new Date('2024-02-29T12:00:00.000Z') },
    { _id: 'o', s: new ObjectId('65f0f0f0f0f0f0f0f0f0f0f0') },
    { _id: 'b', s: new Binary(Buffer.from('apple')) },
    { _id: 'g', s: new UUID('00112233-4455-6677-8899-aabbccddeeff') },
    { _id: 'r', s: /^app/ },
    { _id: 't', s: { first: 'x', last: 'y' } },
  ];
  table(suite, 'string', documents, [
    [{ s: 'apple' }, ['a']],
    [{ s: /^app/ }, ['a', 'r']],
    [{ s: /^APP/i }, ['a', 'A']],
    [{ s: { $regex: 'lines$' } }, ['n']],
    [{ s: { $regex: '^lines', $options: 'm' } }, ['n']],
    [{ s: { $regex: 'two.lines' } }, []],
    [{ s: { $regex: 'two.lines', $options: 's' } }, ['n']],
    [{ s: { $regex: '^. smile' } }, ['e']],
    [{ s: { $regex: 'l\\0b' } }, ['z']],
    [{ s: { $regex: '\\.|\\-' } }, []],
    [{ s: { $in: [/^ä/, 'apple'] } }, ['a', 'u']],
    [{ s: { $not: /e/ } }, ['d', 'o', 'b', 'g', 'r', 't']],
    [{ s: { $gt: '😀' } }, ['e']],
    [{ s: { $gt: '\uff00' } }, ['e', 'p']],
    [{ s: { $gte: 'nul', $lt: 'nun' } }, ['z']],
    [{ s: 'nul\0byte' }, ['z']],
    [{ s: { $gte: new Date('2024-02-29'), $lt: new Date('2024-03-01') } }, ['d']],
    [{ s: new Date('2024-02-29T12:00:00.000Z') }, ['d']],
    [{ s: new ObjectId('65f0f0f0f0f0f0f0f0f0f0f0') }, ['o']],
    [{ s: { $gt: new ObjectId('65f0f0f0f0f0f0f0f0f0f0ef') } }, ['o']],
    [{ s: new Binary(Buffer.from('apple')) }, ['b']],
    [{ s: new UUID('00112233-4455-6677-8899-aabbccddeeff') }, ['g']],
    [{ s: { $type: 'binData' } }, ['b', 'g']],
    [{ s: { first: 'x', last: 'y' } }, ['t']],
    [{ s: { last: 'y', first: 'x' } }, []],
    [{ 's.first': 'x' }, ['t']],
    [{ s: { $type: 'object' } }, ['t']],
    [{ s: { $gt: { first: 'a' } } }, ['t']],
  ]);
});

conformance('queries: combinations', suite => {
  const documents = [
    { _id: 1, a: 1, b: 1 },
    { _id: 2, a: 1, b: 2 },
    { _id: 3, a: 2, b: 1 },
    { _id: 4, a: 2, b: 2, c: { d: { e: 5 } } },
  ];
  table(suite, 'combined', documents, [
    [{}, [1, 2, 3, 4]],
    [{ a: 1, b: 2 }, [2]],
    [{ $and: [{ a: 1 }, { b: 1 }] }, [1]],
    [
      {
        $or: [
          { a: 1, b: 1 },
          { b: 2, a: 2 },
        ],
      },
      [1, 4],
    ],
    [{ $nor: [{ a: 1 }, { b: 1 }] }, [4]],
    [{ a: 1, $or: [{ b: 2 }, { b: 3 }] }, [2]],
    [{ 'c.d.e': 5 }, [4]],
    [{ 'c.d': { e: 5 } }, [4]],
    [{ $expr: { $eq: ['$a', '$b'] } }, [1, 4]],
    [{ $expr: { $gt: ['$a', '$b'] }, a: 2 }, [3]],
    [{ a: { $eq: 1 }, b: { $not: { $in: [1] } } }, [2]],
    [{ _id: { $in: [4, 2, 9] } }, [2, 4]],
    [{ $comment: 'why', a: 2, b: 1 }, [3]],
    [{ $and: [{ $or: [{ a: 1 }, { a: 2 }] }, { $or: [{ b: 2 }] }] }, [2, 4]],
  ]);

  it('finds by the variables of let', async () => {
    const c = await suite.collection(documents);
    const filter = { $expr: { $eq: ['$a', '$$wanted'] } };
    assert.deepEqual(await ids(c.find(filter, { let: { wanted: 2 } })), [3, 4]);
  });
});
