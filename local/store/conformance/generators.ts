import { BSON } from 'bson';
import fc from 'fast-check';
import type { Document } from './servers.ts';

const { Long, Double, ObjectId, Binary, Timestamp, Decimal128 } = BSON;

/** Values that tend to meet each other: equal ones of different types, neighbours, and every kind of nothing. */
export const SCALARS: unknown[] = [
  null,
  0,
  1,
  2,
  5,
  -1,
  new Double(1),
  1.5,
  Long.fromNumber(1),
  Long.fromString('9007199254740993'),
  9007199254740992,
  Decimal128.fromString('1'),
  Decimal128.fromString('1.5'),
  NaN,
  Infinity,
  '',
  'a',
  'ab',
  'b',
  'é',
  '😀',
  '\uffff',
  'a\0b',
  true,
  false,
  new Date(0),
  new Date(1000),
  new ObjectId('65f0f0f0f0f0f0f0f0f0f0f0'),
  new Binary(Buffer.from('ab')),
  new Timestamp({ t: 1, i: 2 }),
];

/** Those that updates treat alike everywhere: the store does not compute with decimals, and NaN plus one is no change. */
export const PLAIN_SCALARS = SCALARS.filter(v => !(v instanceof Decimal128) && !Number.isNaN(v));

/** Arbitrary documents, filters, sorts, key patterns and updates with these values. */
export function arbitraries(scalars: unknown[]) {
  const scalar = fc.constantFrom(...scalars);
  // A range by null is equality with null, which the server (6.0) gets wrong on a sparse index.
  const bound = fc.constantFrom(...scalars.filter(v => v !== null));

  const small = fc.oneof({ weight: 6, arbitrary: scalar }, { weight: 2, arbitrary: fc.constantFrom(1, 2, 'a', null) });

  const embedded = fc.oneof(
    fc.record({ x: small }),
    fc.record({ x: small, y: small }),
    fc.record({ y: small }),
    fc.constant({}),
  );

  // Values of a field: scalars, documents, arrays of both, arrays of arrays.
  const value = fc.oneof(
    { weight: 6, arbitrary: small },
    { weight: 2, arbitrary: embedded },
    { weight: 2, arbitrary: fc.array(small, { maxLength: 3 }) },
    { weight: 2, arbitrary: fc.array(fc.oneof(embedded, small), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(fc.array(small, { maxLength: 2 }), { maxLength: 2 }) },
  );

  // Documents without `_id`, whose fields may be missing.
  const document: fc.Arbitrary<Document> = fc.record({ a: value, b: value, c: small }, { requiredKeys: [] });

  const path = fc.constantFrom('a', 'b', 'c', 'a.x', 'a.y', 'b.x', 'a.0', 'a.0.x', 'a.x.y');

  const pattern = fc.constantFrom('^a', 'b$', '.', '^ab', 'A');

  const operator = fc.oneof(
    { weight: 3, arbitrary: fc.record({ $eq: value }) },
    fc.record({ $ne: value }),
    { weight: 2, arbitrary: fc.record({ $gt: bound }) },
    { weight: 2, arbitrary: fc.record({ $gte: bound }) },
    { weight: 2, arbitrary: fc.record({ $lt: bound }) },
    { weight: 2, arbitrary: fc.record({ $lte: bound }) },
    { weight: 2, arbitrary: fc.record({ $gte: bound, $lt: bound }) },
    { weight: 2, arbitrary: fc.record({ $in: fc.array(value, { maxLength: 3 }) }) },
    fc.record({ $nin: fc.array(value, { maxLength: 3 }) }),
    fc.record({ $exists: fc.boolean() }),
    fc.record({
      $type: fc.constantFrom('int', 'double', 'long', 'number', 'string', 'array', 'object', 'null', 'bool'),
    }),
    fc.record({ $size: fc.nat(3) }),
    fc.record({ $all: fc.array(small, { maxLength: 2 }) }),
    fc.record({ $mod: fc.tuple(fc.constantFrom(2, 3), fc.constantFrom(0, 1)) }),
    fc.record({ $regex: pattern }),
    fc.record({ $elemMatch: fc.record({ $gte: bound, $lt: bound }, { requiredKeys: ['$gte'] }) }),
    fc.record({ $elemMatch: fc.record({ x: small, y: fc.record({ $gte: bound }) }, { requiredKeys: ['x'] }) }),
  );

  const leaf: fc.Arbitrary<Document> = fc
    .tuple(
      path,
      fc.oneof({ weight: 3, arbitrary: operator }, { weight: 2, arbitrary: value }, fc.record({ $not: operator })),
    )
    .map(([p, v]) => ({ [p]: v }));

  // Filters of up to three levels.
  const filter: fc.Arbitrary<Document> = fc.oneof(
    { weight: 5, arbitrary: leaf },
    { weight: 3, arbitrary: fc.tuple(leaf, leaf).map(([x, y]) => ({ ...x, ...y })) },
    { weight: 1, arbitrary: fc.record({ $and: fc.array(leaf, { minLength: 1, maxLength: 2 }) }) },
    { weight: 2, arbitrary: fc.record({ $or: fc.array(leaf, { minLength: 1, maxLength: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ $nor: fc.array(leaf, { minLength: 1, maxLength: 2 }) }) },
  );

  const direction = fc.constantFrom(1, -1);

  // Sorts, always ending with `_id` so that the order is whole.
  const sort: fc.Arbitrary<Document> = fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'a.x'), direction), { minLength: 1, maxLength: 2 })
    .map(fields => ({ ...Object.fromEntries(fields), _id: 1 }));

  // Key patterns of indexes.
  const keys: fc.Arbitrary<Document> = fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'c', 'a.x', 'a.y', 'b', 'b.x', '_id'), direction), {
      minLength: 1,
      maxLength: 3,
      selector: ([p]) => p,
    })
    .map(fields => Object.fromEntries(fields));

  // Options of indexes that hold only some documents.
  const indexOptions: fc.Arbitrary<Document> = fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    fc.constant({ sparse: true }),
    fc
      .constantFrom<Document>(
        { c: { $exists: true } },
        { a: { $gt: 0 } },
        { c: 1 },
        { a: { $gte: 'a' } },
        { 'a.x': { $exists: true } },
        { b: { $in: [1, 'a'] } },
        { $or: [{ c: 1 }, { c: 2 }] },
      )
      .map(partialFilterExpression => ({ partialFilterExpression })),
  );

  const fieldUpdate = fc.oneof(
    fc.tuple(fc.constantFrom('$set', '$min', '$max', '$push', '$addToSet', '$pull', '$setOnInsert'), value),
    fc.tuple(
      fc.constantFrom('$inc', '$mul'),
      fc.constantFrom<unknown>(1, -2, 1.5, Long.fromNumber(3), new Double(2), 0, 2147483647),
    ),
    fc.tuple(fc.constant('$unset'), fc.constant(1)),
    fc.tuple(fc.constant('$pop'), direction),
    fc.tuple(fc.constant('$bit'), fc.constantFrom({ and: 3 }, { or: 5 }, { xor: Long.fromNumber(9) })),
    fc.tuple(fc.constant('$pullAll'), fc.array(small, { maxLength: 2 })),
    fc.tuple(fc.constant('$pull'), fc.oneof(fc.record({ $gte: scalar }), fc.record({ x: small }))),
    fc.tuple(fc.constant('$rename'), fc.constantFrom('d', 'e.f', 'b', 'c')),
    fc.tuple(
      fc.constant('$push'),
      fc.record(
        {
          $each: fc.array(small, { maxLength: 3 }),
          $position: fc.integer({ min: -2, max: 2 }),
          $slice: fc.integer({ min: -3, max: 3 }),
          $sort: direction,
        },
        { requiredKeys: ['$each'] },
      ),
    ),
    fc.tuple(fc.constant('$addToSet'), fc.record({ $each: fc.array(small, { maxLength: 3 }) })),
  );

  // Updates of one to three operators.
  const update: fc.Arbitrary<Document> = fc
    .array(
      fc.tuple(fc.constantFrom('a', 'b', 'c', 'a.x', 'a.0', 'b.x', 'd', 'a.1.y', 'a.$[]', 'a.$[].x'), fieldUpdate),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map(parts => {
      const u: Document = {};
      for (const [p, [name, argument]] of parts) {
        // The server walks the elements of an array even where there is nothing to insert.
        if (name === '$setOnInsert' && p.includes('$')) continue;
        u[name] = { ...u[name], [p]: argument };
      }
      return u;
    });

  return { document, path, filter, sort, keys, indexOptions, update };
}
