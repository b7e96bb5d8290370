import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BSON } from 'bson';
import { exact, refused } from './asserts.ts';
import { conformance } from './servers.ts';

const { Double, Long, ObjectId } = BSON;
/** Not written plainly, since objects with such a key look like promises to the linter. */
const THEN = 'then';
const L = (n: number) => Long.fromNumber(n);
const D = (n: number) => new Double(n);

conformance('expressions', suite => {
  const document = {
    _id: 1,
    i: 5,
    j: -3,
    l: Long.fromString('9007199254740993'),
    d: 2.5,
    s: 'Hëllo wörld',
    n: null,
    t: true,
    dt: new Date('2024-01-31T13:45:30.123Z'),
    a: [3, 1, 2, 2],
    docs: [{ x: 1, y: 'a' }, { x: 2 }, { y: 'c' }],
    o: { p: 1, q: { r: 2 } },
    big: 2147483647,
    emo: 'a😀b',
    id: new ObjectId('65f0f0f0f0f0f0f0f0f0f0f0'),
  };
  /** An expression and its value; `undefined` is none. */
  const cases: [unknown, unknown][] = [
    [{ $add: ['$i', '$j'] }, 2],
    [{ $add: ['$i', '$d'] }, 7.5],
    [{ $add: ['$big', 1] }, L(2147483648)],
    [{ $add: ['$i', '$nope'] }, null],
    [{ $add: ['$dt', 1000] }, new Date('2024-01-31T13:45:31.123Z')],
    [{ $subtract: ['$dt', '$dt'] }, L(0)],
    [{ $subtract: ['$i', 7] }, -2],
    [{ $multiply: ['$big', '$big'] }, Long.fromString('4611686014132420609')],
    [{ $divide: [6, 3] }, D(2)],
    [{ $mod: ['$j', 2] }, -1],
    [{ $abs: '$j' }, 3],
    [{ $ceil: '$d' }, D(3)],
    [{ $floor: '$j' }, -3],
    [{ $round: [2.675, 2] }, 2.67],
    [{ $round: ['$d'] }, D(2)],
    [{ $round: [1250, -2] }, 1200],
    [{ $trunc: [-2.55, 1] }, -2.5],
    [{ $sqrt: 16 }, D(4)],
    [{ $pow: [2, 10] }, 1024],
    [{ $eq: ['$i', D(5)] }, true],
    [{ $eq: ['$n', '$nope'] }, false],
    [{ $lt: ['$nope', null] }, true],
    [{ $gt: ['$s', 5] }, true],
    [{ $cmp: ['$i', '$d'] }, 1],
    [{ $and: ['$t', '$i'] }, true],
    [{ $or: ['$n', '$nope', 0] }, false],
    [{ $not: ['$n'] }, true],
    [{ $cond: ['$t', 1, 2] }, 1],
    [{ $cond: { if: '$n', [THEN]: 1, else: '$nope' } }, undefined],
    [{ $ifNull: ['$n', '$nope', 7] }, 7],
    [{ $switch: { branches: [{ case: '$n', [THEN]: 1 }], default: 3 } }, 3],
    [{ $let: { vars: { x: '$i', y: 2 }, in: { $add: ['$$x', '$$y'] } } }, 7],
    [{ $literal: '$i' }, '$i'],
    ['$docs.x', [1, 2]],
    ['$o.q.r', 2],
    ['$a.0', []],
    ['$$ROOT.i', 5],
    [
      ['$i', '$nope'],
      [5, null],
    ],
    [{ a: '$i', b: '$nope' }, { a: 5 }],
    [{ $map: { input: '$a', in: { $add: ['$$this', 1] } } }, [4, 2, 3, 3]],
    [{ $map: { input: '$n', in: 1 } }, null],
    [{ $filter: { input: '$a', as: 'k', cond: { $gt: ['$$k', 1] } } }, [3, 2, 2]],
    [{ $reduce: { input: '$a', initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, 8],
    [{ $arrayElemAt: ['$a', -1] }, 2],
    [{ $arrayElemAt: ['$a', 9] }, undefined],
    [{ $first: '$a' }, 3],
    [{ $last: '$a' }, 2],
    [{ $size: '$a' }, 4],
    [{ $slice: ['$a', -3, 2] }, [1, 2]],
    [{ $concatArrays: ['$a', [9]] }, [3, 1, 2, 2, 9]],
    [{ $in: [2, '$a'] }, true],
    [{ $indexOfArray: ['$a', 2] }, 2],
    [{ $isArray: '$a' }, true],
    [{ $range: [0, 5, 2] }, [0, 2, 4]],
    [{ $reverseArray: '$a' }, [2, 2, 1, 3]],
    [{ $sortArray: { input: '$a', sortBy: 1 } }, [1, 2, 2, 3]],
    [{ $concat: ['$s', '!'] }, 'Hëllo wörld!'],
    [{ $concat: ['$s', '$n'] }, null],
    [{ $toUpper: '$s' }, 'HëLLO WöRLD'],
    [{ $toLower: '$n' }, ''],
    [{ $substrCP: ['$emo', 1, 1] }, '😀'],
    [{ $substrBytes: ['$s', 0, 1] }, 'H'],
    [{ $strLenCP: '$emo' }, 3],
    [{ $strLenBytes: '$emo' }, 6],
    [{ $split: ['$s', ' '] }, ['Hëllo', 'wörld']],
    [{ $trim: { input: '  x ' } }, 'x'],
    [{ $replaceAll: { input: 'aXbX', find: 'X', replacement: '-' } }, 'a-b-'],
    [{ $indexOfCP: ['$emo', 'b'] }, 2],
    [{ $regexMatch: { input: '$s', regex: '^h', options: 'i' } }, true],
    [{ $strcasecmp: ['a', 'B'] }, -1],
    [{ $type: '$nope' }, 'missing'],
    [{ $type: '$l' }, 'long'],
    [{ $isNumber: '$l' }, true],
    [{ $toInt: '42' }, 42],
    [{ $toLong: '$i' }, L(5)],
    [{ $toDouble: '$i' }, D(5)],
    [{ $toString: '$d' }, '2.5'],
    [{ $toString: '$dt' }, '2024-01-31T13:45:30.123Z'],
    [{ $toString: '$id' }, '65f0f0f0f0f0f0f0f0f0f0f0'],
    [{ $toBool: '$i' }, true],
    [{ $toDate: '2024-05-06T01:02:03Z' }, new Date('2024-05-06T01:02:03Z')],
    [{ $toObjectId: '65f0f0f0f0f0f0f0f0f0f0f0' }, new ObjectId('65f0f0f0f0f0f0f0f0f0f0f0')],
    [{ $convert: { input: '$s', to: 'int', onError: 'bad' } }, 'bad'],
    [{ $mergeObjects: ['$o', { z: 1 }] }, { p: 1, q: { r: 2 }, z: 1 }],
    [{ $objectToArray: { k: '$i' } }, [{ k: 'k', v: 5 }]],
    [{ $arrayToObject: [[['a', 1]]] }, { a: 1 }],
    [{ $getField: 'i' }, 5],
    [{ $setField: { field: 'z', input: '$o', value: 1 } }, { p: 1, q: { r: 2 }, z: 1 }],
    [{ $setUnion: ['$a', [5, 1]] }, [1, 2, 3, 5]],
    [{ $setDifference: ['$a', [2]] }, [3, 1]],
    [{ $setEquals: ['$a', [1, 2, 3]] }, true],
    [{ $setIsSubset: [[1], '$a'] }, true],
    [{ $anyElementTrue: [[0, null]] }, false],
    [{ $sum: '$a' }, 8],
    [{ $avg: '$a' }, D(2)],
    [{ $max: ['$i', '$d', '$n'] }, 5],
    [{ $year: '$dt' }, 2024],
    [{ $month: '$dt' }, 1],
    [{ $dayOfMonth: '$dt' }, 31],
    [{ $hour: '$dt' }, 13],
    [{ $dayOfWeek: '$dt' }, 4],
    [{ $dayOfYear: '$dt' }, 31],
    [{ $isoDayOfWeek: '$dt' }, 3],
    [{ $year: '$n' }, null],
    [{ $dateToString: { date: '$dt', format: '%Y-%m-%d %H:%M' } }, '2024-01-31 13:45'],
    [{ $dateToString: { date: '$n', onNull: 'never' } }, 'never'],
    [{ $dateTrunc: { date: '$dt', unit: 'day' } }, new Date('2024-01-31T00:00:00Z')],
    [{ $dateTrunc: { date: '$dt', unit: 'month' } }, new Date('2024-01-01T00:00:00Z')],
    [{ $dateAdd: { startDate: '$dt', unit: 'month', amount: 1 } }, new Date('2024-02-29T13:45:30.123Z')],
    [{ $dateSubtract: { startDate: '$dt', unit: 'day', amount: 31 } }, new Date('2023-12-31T13:45:30.123Z')],
    [{ $dateFromParts: { year: 2024, month: 2, day: 3 } }, new Date('2024-02-03T00:00:00Z')],
  ];
  for (const [expression, value] of cases) {
    it(exact({ e: expression }), async () => {
      const c = await suite.collection([document]);
      const [found] = await c
        .aggregate([{ $project: { _id: 0, r: expression } }], { promoteValues: false, promoteLongs: false })
        .toArray();
      assert.equal(exact(found), exact(value === undefined ? {} : { r: value }));
    });
  }

  const refusals: [unknown, number][] = [
    [{ $add: ['$s', 1] }, 16554],
    [{ $subtract: [5, '$dt'] }, 14],
    [{ $divide: ['$i', '$nope', 1] }, 16020],
    [{ $map: { input: '$i', in: 1 } }, 16883],
    [{ $size: '$i' }, 17124],
    [{ $concat: ['$s', 1] }, 16702],
    [{ $toInt: '$s' }, 241],
    [{ $toObjectId: 'x' }, 241],
    [{ $arrayElemAt: ['$i', 0] }, 28689],
    [{ $in: [1, '$i'] }, 40081],
    [{ $switch: { branches: [{ case: '$n', [THEN]: 1 }] } }, 40066],
    [{ $nope: 1 }, 31325],
    ['$$nope', 17276],
    ['$', 16872],
  ];
  for (const [expression, code] of refusals) {
    it(`refuses ${exact({ e: expression })}`, async () => {
      const c = await suite.collection([document]);
      await refused(c.aggregate([{ $project: { r: expression } }]).toArray(), code);
    });
  }
});
