import { Double } from 'bson';
import { notSupported, StoreError } from '../errors.ts';
import { compareValues } from '../values/compare.ts';
import { createKeyWriter } from '../values/key.ts';
import { isInteger, type Numeric, toNumber } from '../values/numbers.ts';
import { type Doc, double, isDoc, isNumeric, setField, typeOf, type Value } from '../values/value.ts';
import { calculate } from './arithmetic.ts';
import { isNullish } from './env.ts';

/** Takes the values of a group one by one; `result` is asked once. */
export interface Accumulator {
  add(v: Value | undefined): void;
  result(): Value;
}

/** Adds numbers, ignoring all else: integers exactly, doubles with what rounding lost (Neumaier), as the server does. */
function createSum() {
  let exact: Numeric = 0;
  let sum = 0;
  let lost = 0;
  let hasDouble = false;
  let count = 0;
  function addDouble(x: number): void {
    hasDouble = true;
    const next = sum + x;
    if (Number.isFinite(next)) lost += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
    sum = next;
  }
  return {
    add(v: Value | undefined): void {
      if (!isNumeric(v)) return;
      count++;
      if (isInteger(v)) exact = calculate('+', exact, v);
      else if (typeof v === 'number' || v instanceof Double) addDouble(toNumber(v));
      else throw notSupported('arithmetic on Decimal128');
    },
    count: () => count,
    result: (): Numeric => (hasDouble ? double(sum + toNumber(exact) + lost) : exact),
  };
}

function createAverage(): Accumulator {
  const sum = createSum();
  return {
    add: sum.add,
    result: () => (sum.count() === 0 ? null : double(toNumber(sum.result()) / sum.count())),
  };
}

function createExtreme(direction: 1 | -1): Accumulator {
  let best: Value | undefined;
  return {
    add(v) {
      if (isNullish(v)) return;
      if (best === undefined || direction * compareValues(v, best) < 0) best = v;
    },
    result: () => best ?? null,
  };
}

function createFirst(): Accumulator {
  let first: Value | undefined;
  let seen = false;
  return {
    add(v) {
      if (!seen) first = v;
      seen = true;
    },
    result: () => first ?? null,
  };
}

function createLast(): Accumulator {
  let last: Value | undefined;
  return {
    add(v) {
      last = v;
    },
    result: () => last ?? null,
  };
}

function createPush(): Accumulator {
  const values: Value[] = [];
  return {
    add(v) {
      if (v !== undefined) values.push(v);
    },
    result: () => values,
  };
}

function createSet(): Accumulator {
  const writer = createKeyWriter();
  const values = new Map<string, Value>();
  return {
    add(v) {
      if (v === undefined) return;
      writer.value(v, false);
      const key = writer.take().toString('latin1');
      if (!values.has(key)) values.set(key, v);
    },
    result: () => [...values.values()],
  };
}

function createMerge(): Accumulator {
  const merged: Doc = {};
  return {
    add(v) {
      if (isNullish(v)) return;
      if (!isDoc(v)) {
        throw new StoreError(
          40400,
          `$mergeObjects requires object inputs, but input ${String(v)} is of type ${typeOf(v).name}`,
        );
      }
      for (const [name, x] of Object.entries(v)) setField(merged, name, x);
    },
    result: () => merged,
  };
}

/** Standard deviation by Welford's online algorithm; `sample` divides by one less. */
function createDeviation(sample: boolean): Accumulator {
  let n = 0;
  let mean = 0;
  let squares = 0;
  return {
    add(v) {
      if (!isNumeric(v)) return;
      const x = toNumber(v);
      n++;
      const delta = x - mean;
      mean += delta / n;
      squares += delta * (x - mean);
    },
    result: () => (n < (sample ? 2 : 1) ? null : double(Math.sqrt(squares / (sample ? n - 1 : n)))),
  };
}

/** The accumulators of `$group`. */
export const ACCUMULATORS: Record<string, () => Accumulator> = {
  $sum: createSum,
  $avg: createAverage,
  $min: () => createExtreme(1),
  $max: () => createExtreme(-1),
  $first: createFirst,
  $last: createLast,
  $push: createPush,
  $addToSet: createSet,
  $mergeObjects: createMerge,
  $stdDevPop: () => createDeviation(false),
  $stdDevSamp: () => createDeviation(true),
};
