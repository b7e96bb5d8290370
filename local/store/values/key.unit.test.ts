import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Binary, BSONRegExp, Decimal128, Double, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { compareValues } from './compare.ts';
import { afterPrefix, createKeyWriter } from './key.ts';
import type { Doc, Value } from './value.ts';

const seed = Number(process.env.CONFORMANCE_SEED ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);

const decimals = [
  '0',
  '-0',
  '1',
  '1.0',
  '1.5',
  '-1.5',
  '1E+400',
  '-1E+400',
  '1E-400',
  '-1E-400',
  '9007199254740993',
  'NaN',
  'Infinity',
  '-Infinity',
  '0.1',
  '123456789012345678901234567890.5',
];
const number: fc.Arbitrary<Value> = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer(),
  fc.double().map(n => (Number.isInteger(n) ? new Double(n) : n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
  fc.constantFrom(...decimals).map(d => Decimal128.fromString(d)),
  fc.constantFrom(0.1, -0, Number.NaN, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53, 2 ** 63),
);
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom('', '\0', 'a', 'a\0', 'a\0b', '😀', '\uffff', '\uf8ff'),
);
const scalar: fc.Arbitrary<Value> = fc.oneof(
  number,
  text,
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map(b => new ObjectId(b)),
  fc.tuple(fc.uint8Array({ maxLength: 4 }), fc.constantFrom(0, 4, 128)).map(([b, type]) => new Binary(b, type)),
  fc.tuple(fc.nat(9), fc.nat(9)).map(([t, i]) => new Timestamp({ t, i })),
  fc.constantFrom<Value>(new MinKey(), new MaxKey(), new BSONRegExp('a', 'i'), new BSONRegExp('b', '')),
);
const value = fc.letrec<{ value: Value; doc: Doc; array: Value[] }>(tie => ({
  value: fc.oneof({ maxDepth: 2 }, scalar, tie('doc'), tie('array')),
  doc: fc.dictionary(fc.constantFrom('a', 'b', 'aa', ''), tie('value'), { maxKeys: 3 }),
  array: fc.array(tie('value'), { maxLength: 3 }),
})).value;

function keyOf(values: Value[], descending: boolean[]): Buffer {
  const writer = createKeyWriter();
  values.forEach((v, i) => {
    writer.value(v, descending[i]!);
  });
  return writer.take();
}

describe('index keys', () => {
  it('are in the order of their values', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const keys = Math.sign(Buffer.compare(keyOf([a], [false]), keyOf([b], [false])));
        assert.equal(keys, Math.sign(compareValues(a, b)));
      }),
      { seed, numRuns: 5000 },
    );
  });

  it('are in the order of several fields in their directions', () => {
    const pair = fc.tuple(scalar, scalar);
    fc.assert(
      fc.property(pair, pair, fc.tuple(fc.boolean(), fc.boolean()), (a, b, descending) => {
        const keys = Math.sign(Buffer.compare(keyOf(a, descending), keyOf(b, descending)));
        const directed = (i: number) => compareValues(a[i]!, b[i]!) * (descending[i] ? -1 : 1);
        // Adding 0 turns the -0 of a reversed tie into 0.
        assert.equal(keys, Math.sign(directed(0) || directed(1)) + 0);
      }),
      { seed, numRuns: 3000 },
    );
  });

  it('never start with another value’s key', () => {
    fc.assert(
      fc.property(value, value, fc.boolean(), (a, b, descending) => {
        const [x, y] = [keyOf([a], [descending]), keyOf([b], [descending])];
        if (!x.equals(y)) assert.ok(!y.subarray(0, x.length).equals(x));
      }),
      { seed, numRuns: 3000 },
    );
  });

  it('end where the next prefix begins', () => {
    assert.deepEqual(afterPrefix(Buffer.of(1, 2)), Buffer.of(1, 3));
    assert.deepEqual(afterPrefix(Buffer.of(1, 255, 255)), Buffer.of(2));
    assert.equal(afterPrefix(Buffer.of(255)), undefined);
  });
});
