import { compareValues, equalValues } from '../values/compare.ts';
import { isInteger, toNumber } from '../values/numbers.ts';
import { walkPath } from '../values/path.ts';
import { type Doc, fieldOf, isDoc, isNumeric, ORDER, orderOf, typeOf, type Value } from '../values/value.ts';
import { bitsOf } from './bits.ts';
import type { Filter, RegexTest, Test } from './filter.ts';
import { isRegExp } from './regex.ts';

/** Receives the array position that the positional operator `$` stands for: that of the last clause to match one. */
export interface Found {
  position: string | undefined;
}

export type Matcher = (doc: Doc, found?: Found) => boolean;

/** The predicate of a parsed filter. */
export function compileFilter(filter: Filter): Matcher {
  switch (filter.kind) {
    case 'and': {
      const all = filter.of.map(compileFilter);
      return all.length === 0 ? () => true : (doc, found) => all.every(m => m(doc, found));
    }
    case 'or': {
      const any = filter.of.map(compileFilter);
      return (doc, found) => any.some(m => m(doc, found));
    }
    case 'nor': {
      const none = filter.of.map(compileFilter);
      return doc => !none.some(m => m(doc));
    }
    case 'not': {
      const not = compileFilter(filter.of);
      return doc => !not(doc);
    }
    case 'test':
      return compilePath(filter.path, compileTest(filter.test));
    case 'expr':
      return filter.test;
    default:
      return compileArray(filter);
  }
}

function compilePath(path: string, accepts: (v: Value | undefined) => boolean): Matcher {
  if (!path.includes('.')) {
    const slow = onPath([path], accepts);
    return (doc, found) => {
      const value = fieldOf(doc, path);
      return Array.isArray(value) ? slow(doc, found) : accepts(value);
    };
  }
  return onPath(path.split('.'), accepts);
}

function onPath(parts: string[], accepts: (v: Value | undefined) => boolean): Matcher {
  return (doc, found) =>
    walkPath(doc, parts, true, (value, position) => {
      if (!accepts(value)) return false;
      if (found && position !== undefined) found.position = position;
      return true;
    });
}

function compileArray(filter: Extract<Filter, { kind: 'exists' | 'size' | 'elemMatch' | 'elemMatchValue' }>): Matcher {
  const parts = filter.path.split('.');
  if (filter.kind === 'exists') return doc => walkPath(doc, parts, false, v => v !== undefined);
  if (filter.kind === 'size') {
    return doc => walkPath(doc, parts, false, v => Array.isArray(v) && v.length === filter.size);
  }
  const element = filter.kind === 'elemMatch' ? compileFilter(filter.of) : compileElement(filter.of);
  const accepts = (v: Value) => {
    if (filter.kind === 'elemMatchValue') return element({ '': v });
    // An array as an element is a document with its positions as names.
    return isDoc(v) ? element(v) : Array.isArray(v) && element(Object.assign({}, v) as unknown as Doc);
  };
  return (doc, found) =>
    walkPath(doc, parts, false, (value, position) => {
      const at = Array.isArray(value) ? value.findIndex(accepts) : -1;
      if (at < 0) return false;
      if (found) found.position = position ?? String(at);
      return true;
    });
}

/** A filter on the element itself, held as the field ''; elements that are arrays are not expanded. */
function compileElement(filter: Filter): Matcher {
  switch (filter.kind) {
    case 'and': {
      const all = filter.of.map(compileElement);
      return doc => all.every(m => m(doc));
    }
    case 'or': {
      const any = filter.of.map(compileElement);
      return doc => any.some(m => m(doc));
    }
    case 'not': {
      const not = compileElement(filter.of);
      return doc => !not(doc);
    }
    case 'test': {
      const accepts = compileTest(filter.test);
      return doc => accepts(doc['']);
    }
    default:
      return compileFilter(filter);
  }
}

/** The predicate of a single value; `undefined` is a missing field. */
export function compileTest(test: Test): (v: Value | undefined) => boolean {
  switch (test.op) {
    case 'eq':
      return equals(test.value);
    case 'in':
      return isIn(test.values, test.regexes);
    case 'regex':
      return matchesRegex(test);
    case 'type':
      return v => v !== undefined && test.numbers.has(typeOf(v).number);
    case 'mod':
      return v => isNumeric(v) && remainder(v, test.divisor) === test.remainder;
    case 'bits':
      return v => {
        const bits = bitsOf(v);
        if (bits === undefined) return false;
        const hits = test.set ? bits & test.mask : ~bits & test.mask;
        return test.all ? hits === test.mask : hits !== 0n;
      };
    default:
      return compares(test.op, test.value);
  }
}

function equals(value: Value): (v: Value | undefined) => boolean {
  if (value === null) return v => v === null || v === undefined;
  if (typeof value === 'string' || typeof value === 'boolean') return v => v === value;
  return v => v !== undefined && equalValues(v, value);
}

const IN_SET_FROM = 8;

function isIn(values: Value[], regexes: RegexTest[]): (v: Value | undefined) => boolean {
  const tests = regexes.map(matchesRegex);
  const strings = new Set(values.filter(v => typeof v === 'string'));
  const others = strings.size >= IN_SET_FROM ? values.filter(v => typeof v !== 'string') : values;
  const equalTests = others.map(equals);
  return v => (typeof v === 'string' && strings.has(v)) || equalTests.some(t => t(v)) || tests.some(t => t(v));
}

function matchesRegex({ source, compiled }: RegexTest): (v: Value | undefined) => boolean {
  return v => (typeof v === 'string' ? compiled.test(v) : isRegExp(v) && equalValues(v, source));
}

/** Comparisons hold only within one canonical type; null (with missing) and NaN only equal themselves. */
function compares(op: 'gt' | 'gte' | 'lt' | 'lte', value: Value): (v: Value | undefined) => boolean {
  const order = orderOf(value);
  const orEqual = op === 'gte' || op === 'lte';
  if (value === null) return v => orEqual && (v === null || v === undefined);
  const nan = (v: Value) => isNumeric(v) && Number.isNaN(toNumber(v));
  if (nan(value)) return v => orEqual && v !== undefined && nan(v);
  const accepts = (c: number) => (c === 0 ? orEqual : op === 'gt' || op === 'gte' ? c > 0 : c < 0);
  if (order === ORDER.minKey || order === ORDER.maxKey) {
    return v => v !== undefined && accepts(compareValues(v, value));
  }
  return v => v !== undefined && orderOf(v) === order && accepts(compareValues(v, value)) && !nan(v);
}

function remainder(v: Parameters<typeof toNumber>[0], divisor: bigint): bigint | undefined {
  if (isInteger(v)) return BigInt(v) % divisor;
  const n = toNumber(v);
  return Number.isFinite(n) ? BigInt(Math.trunc(n)) % divisor : undefined;
}
