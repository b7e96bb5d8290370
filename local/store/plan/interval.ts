import type { BSONRegExp } from 'bson';
import type { RegexTest, Test } from '../query/filter.ts';
import { isRegExp } from '../query/regex.ts';
import { KEY_END } from '../storage/scan.ts';
import { afterPrefix, type KeyWriter } from '../values/key.ts';
import { toNumber } from '../values/numbers.ts';
import { isNumeric, ORDER, orderOf, type Value } from '../values/value.ts';

/** Keys of one ascending field from `low` (inclusive) to `high` (exclusive); a point holds the keys of one value. */
export interface Interval {
  low: Buffer;
  high: Buffer;
  point: boolean;
}

/** The intervals of a field outside of which no document can match. */
export interface Bounds {
  intervals: Interval[];
  /** Whether every key inside them matches, so that the test need not be repeated on the document. */
  exact: boolean;
}

/** All keys of a field. */
export const FULL: Interval = { low: Buffer.of(0), high: KEY_END, point: false };

/** The bounds of a test; undefined when it does not narrow an index. */
export function boundsOf(test: Test, writer: KeyWriter): Bounds | undefined {
  switch (test.op) {
    case 'eq':
      return sorted(equality(test.value, writer));
    case 'in':
      return inBounds(test.values, test.regexes, writer);
    case 'regex':
      return regexBounds(test, writer);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return rangeBounds(test.op, test.value, writer);
    default:
      return undefined;
  }
}

function point(value: Value | undefined, writer: KeyWriter): Interval {
  writer.value(value, false);
  const low = writer.take();
  return { low, high: afterPrefix(low) ?? KEY_END, point: true };
}

/** An array equals a document's whole array, indexed by its elements, or one of its elements. */
function equality(value: Value, writer: KeyWriter): Bounds {
  if (Array.isArray(value)) {
    return { intervals: [point(value[0], writer), point(value, writer)], exact: false };
  }
  return { intervals: [point(value, writer)], exact: value !== null && !isRegExp(value) };
}

function inBounds(values: readonly Value[], regexes: readonly RegexTest[], writer: KeyWriter): Bounds {
  const all = [...values.map(v => equality(v, writer)), ...regexes.map(r => regexBounds(r, writer))];
  return sorted({ intervals: all.flatMap(b => b.intervals), exact: all.every(b => b.exact) });
}

function typeRange(order: number): Interval {
  return { low: Buffer.of(order), high: Buffer.of(order + 1), point: false };
}

function rangeBounds(op: 'gt' | 'gte' | 'lt' | 'lte', value: Value, writer: KeyWriter): Bounds | undefined {
  const order = orderOf(value);
  if (value === null) return op === 'gte' || op === 'lte' ? equality(null, writer) : { intervals: [], exact: false };
  if (order === ORDER.array || order === ORDER.minKey || order === ORDER.maxKey) return undefined;
  const at = point(value, writer);
  if (isNumeric(value)) {
    if (Number.isNaN(toNumber(value))) return { intervals: [at], exact: false };
    const lowest = point(Number.NEGATIVE_INFINITY, writer).low;
    return { intervals: [cut(op, { ...typeRange(order), low: lowest }, at)], exact: true };
  }
  return { intervals: [cut(op, typeRange(order), at)], exact: true };
}

function cut(op: 'gt' | 'gte' | 'lt' | 'lte', type: Interval, at: Interval): Interval {
  switch (op) {
    case 'gt':
      return { ...type, low: at.high };
    case 'gte':
      return { ...type, low: at.low };
    case 'lt':
      return { ...type, high: at.low };
    default:
      return { ...type, high: at.high };
  }
}

/** Strings from the literal prefix of an anchored pattern, and the pattern itself as a value. */
function regexBounds({ source }: RegexTest, writer: KeyWriter): Bounds {
  const prefix = literalPrefix(source);
  const strings = prefix === '' ? typeRange(ORDER.string) : prefixInterval(prefix, writer);
  return { intervals: [strings, point(source, writer)], exact: false };
}

function prefixInterval(prefix: string, writer: KeyWriter): Interval {
  const low = point(prefix, writer).low.subarray(0, -2);
  return { low, high: afterPrefix(low) ?? KEY_END, point: false };
}

function literalPrefix({ pattern, options }: BSONRegExp): string {
  if (options !== '' || pattern.includes('|')) return '';
  const m = /^(?:\^|\\A)((?:[\p{L}\p{N} _@,:;\-/&%#=<>"'~!]|\\[.\-/@+])*)(.?)/su.exec(pattern);
  if (!m) return '';
  const literal = m[1]!.replace(/\\(.)/g, '$1');
  // A quantifier belongs to the last character, which may then be absent.
  return /[*?{]/.test(m[2]!) ? [...literal].slice(0, -1).join('') : literal;
}

function sorted(bounds: Bounds): Bounds {
  if (bounds.intervals.length < 2) return bounds;
  const intervals: Interval[] = [];
  for (const next of bounds.intervals.sort((a, b) => Buffer.compare(a.low, b.low))) {
    const last = intervals.at(-1);
    if (!last || Buffer.compare(next.low, last.high) >= 0) intervals.push(next);
    else if (Buffer.compare(next.high, last.high) > 0) {
      intervals[intervals.length - 1] = { low: last.low, high: next.high, point: false };
    }
  }
  return { ...bounds, intervals };
}

/** The keys in both; each list is sorted and free of overlaps. */
export function intersect(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const common: Interval[] = [];
  for (const x of a) {
    for (const y of b) {
      const low = Buffer.compare(x.low, y.low) >= 0 ? x.low : y.low;
      const high = Buffer.compare(x.high, y.high) <= 0 ? x.high : y.high;
      if (Buffer.compare(low, high) < 0) common.push({ low, high, point: x.point || y.point });
    }
  }
  return common;
}
