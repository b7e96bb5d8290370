import { type Binary, type BSONRegExp, type Code, Decimal128, Double, type ObjectId, type Timestamp } from 'bson';
import { compareExact, exactOfDecimal, exactOfDouble } from './exact.ts';
import { type Doc, isNumeric, ORDER, orderOf, type Value } from './value.ts';

/**
 * MongoDB's total order of values: by canonical type, then within it; numbers of different widths by their value,
 * strings by their UTF-8 bytes, documents field by field in their order. Returns a negative number, 0 or a positive one.
 */
export function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  const order = orderOf(a);
  const other = orderOf(b);
  return order === other ? compareSameType(order, a, b) : order - other;
}

/** Whether two values are equal in MongoDB's sense (1 equals 1.0; field order matters). */
export function equalValues(a: Value, b: Value): boolean {
  return compareValues(a, b) === 0;
}

function compareSameType(order: number, a: Value, b: Value): number {
  switch (order) {
    case ORDER.string:
      return compareStrings(a as string, b as string);
    case ORDER.number:
      return compareNumbers(a as Numeric, b as Numeric);
    case ORDER.objectId:
      return Buffer.compare((a as ObjectId).id, (b as ObjectId).id);
    case ORDER.date:
      return (a as Date).getTime() - (b as Date).getTime();
    case ORDER.boolean:
      return Number(a) - Number(b);
    case ORDER.object:
      return compareFields(Object.entries(a as Doc), Object.entries(b as Doc));
    case ORDER.array:
      return compareArrays(a as Value[], b as Value[]);
    case ORDER.binary:
      return compareBinaries(a as Binary, b as Binary);
    case ORDER.timestamp:
      return compareBig((a as Timestamp).toBigInt(), (b as Timestamp).toBigInt());
    case ORDER.regex: {
      const [x, y] = [a as BSONRegExp, b as BSONRegExp];
      return compareStrings(x.pattern, y.pattern) || compareStrings(x.options, y.options);
    }
    case ORDER.code:
      return compareStrings(String((a as Code).code), String((b as Code).code));
    default:
      return 0;
  }
}

/** UTF-16 order equals code point (so UTF-8) order but for surrogates against U+E000 and above. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return surrogatesLast(x) - surrogatesLast(y);
  }
  return a.length - b.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function compareBig(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type Numeric = number | bigint | Double | Decimal128;

/** Compares numbers of any width by value; NaN equals itself and is below all others. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  if (a instanceof Decimal128 || b instanceof Decimal128) return compareDecimals(a, b);
  const x = a instanceof Double ? a.value : a;
  const y = b instanceof Double ? b.value : b;
  if (x < y) return -1;
  if (x > y) return 1;
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint equals a number by value only this way
  if (x == y) return 0;
  return Number(Number.isNaN(y)) - Number(Number.isNaN(x));
}

function compareDecimals(a: Numeric, b: Numeric): number {
  const [x, y] = [special(a), special(b)];
  if (x !== undefined || y !== undefined) return compareNumbers(x ?? 0, y ?? 0);
  return compareExact(exactOf(a), exactOf(b));
}

/** NaN and the infinities as doubles; undefined for finite numbers. */
function special(n: Numeric): number | undefined {
  if (n instanceof Decimal128) {
    const text = n.toString();
    return /\d/.test(text) ? undefined : Number(text);
  }
  return typeof n === 'number' && !Number.isFinite(n) ? n : undefined;
}

function exactOf(n: Numeric) {
  if (n instanceof Decimal128) return exactOfDecimal(n)!;
  if (typeof n === 'bigint') return { digits: n, exponent: 0 };
  return exactOfDouble(n instanceof Double ? n.value : n);
}

function compareFields(a: [string, Value][], b: [string, Value][]): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const [[nameA, x], [nameB, y]] = [a[i]!, b[i]!];
    const order = orderOf(x);
    const c = order - orderOf(y) || compareStrings(nameA, nameB) || (x === y ? 0 : compareSameType(order, x, y));
    if (c !== 0) return c;
  }
  return a.length - b.length;
}

function compareArrays(a: Value[], b: Value[]): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const c = compareValues(a[i]!, b[i]!);
    if (c !== 0) return c;
  }
  return a.length - b.length;
}

function compareBinaries(a: Binary, b: Binary): number {
  return a.position - b.position || a.sub_type - b.sub_type || Buffer.compare(a.value(), b.value());
}

/** Whether two values are the same in type and content, so that writing one over the other changes nothing. */
export function identical(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return a !== 0 || Object.is(a, b);
  if (a === undefined || b === undefined) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((x, i) => identical(x, b[i]));
  const order = orderOf(a);
  if (order !== orderOf(b)) return false;
  if (order === ORDER.object) return identicalFields(Object.entries(a as Doc), Object.entries(b as Doc));
  if (isNumeric(a)) return identicalNumbers(a, b as Numeric);
  return compareSameType(order, a, b) === 0;
}

function identicalFields(a: [string, Value][], b: [string, Value][]): boolean {
  return a.length === b.length && a.every(([name, x], i) => name === b[i]![0] && identical(x, b[i]![1]));
}

function identicalNumbers(a: Numeric, b: Numeric): boolean {
  if (typeof a !== typeof b) return false;
  if (typeof a === 'number') return Object.is(a, b);
  if (a instanceof Double) return b instanceof Double && Object.is(a.value, b.value);
  if (a instanceof Decimal128) return b instanceof Decimal128 && Buffer.compare(a.bytes, b.bytes) === 0;
  return a === b;
}
