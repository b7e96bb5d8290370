import { badValue, failedToParse, notSupported } from '../errors.ts';
import { asInteger, isInteger, toNumber } from '../values/numbers.ts';
import { type Doc, isDoc, isNumeric, type Value } from '../values/value.ts';
import { bitMask } from './bits.ts';
import { type CompileExpr, type Filter, isOperators, parseFilter, type Test } from './filter.ts';
import { isRegExp, regexTest, regexTestOf } from './regex.ts';
import { typeNumbers } from './types.ts';

type Parse = (path: string, value: Value, expr: CompileExpr, siblings: Doc) => Filter;

const GEO = new Set([
  '$near',
  '$nearSphere',
  '$geoNear',
  '$geoWithin',
  '$geoIntersects',
  '$within',
  '$maxDistance',
  '$minDistance',
]);

/** Parses `{ $gt: 1, $lt: 5 }` on a path, one filter per operator. */
export function parseFieldOperators(path: string, operators: Doc, expr: CompileExpr): Filter[] {
  const filters: Filter[] = [];
  for (const [name, value] of Object.entries(operators)) {
    if (name === '$options') {
      if (!('$regex' in operators)) throw badValue('$options needs a $regex');
      continue;
    }
    const parse = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined;
    if (!parse) {
      if (GEO.has(name)) throw notSupported(`the geospatial operator ${name}`);
      throw badValue(`unknown operator: ${name}`);
    }
    filters.push(parse(path, value, expr, operators));
  }
  return filters;
}

function test(path: string, t: Test): Filter {
  return { kind: 'test', path, test: t };
}

function comparison(op: 'gt' | 'gte' | 'lt' | 'lte'): Parse {
  return (path, value) => {
    if (isRegExp(value)) throw badValue(`Can't have RegEx as arg to predicate over field '${path}'.`);
    return test(path, { op, value });
  };
}

function parseIn(name: string, path: string, value: Value): Filter {
  if (!Array.isArray(value)) throw badValue(`${name} needs an array`);
  const values: Value[] = [];
  const regexes = [];
  for (const v of value) {
    if (isRegExp(v)) regexes.push(regexTest(v));
    else if (isOperators(v)) throw badValue(`cannot nest $ under ${name}`);
    else values.push(v);
  }
  return test(path, { op: 'in', values, regexes });
}

function parseNot(path: string, value: Value, expr: CompileExpr): Filter {
  if (isRegExp(value)) return { kind: 'not', of: test(path, regexTest(value)) };
  if (!isDoc(value)) throw badValue('$not needs a regex or a document');
  if (Object.keys(value).length === 0) throw badValue('$not cannot be empty');
  return { kind: 'not', of: { kind: 'and', of: parseFieldOperators(path, value, expr) } };
}

function parseAll(path: string, value: Value, expr: CompileExpr): Filter {
  if (!Array.isArray(value)) throw badValue('$all needs an array');
  if (value.length === 0) return { kind: 'or', of: [] };
  const elemMatch = (v: Value) => isDoc(v) && '$elemMatch' in v;
  const of = value.map(v => {
    if (elemMatch(value[0]!) !== elemMatch(v)) throw badValue('$all/$elemMatch has to be consistent');
    if (elemMatch(v)) return parseElemMatch(path, (v as Doc).$elemMatch!, expr);
    if (isRegExp(v)) return test(path, regexTest(v));
    if (isOperators(v)) throw badValue('no $ expressions in $all');
    return test(path, { op: 'eq', value: v });
  });
  return { kind: 'and', of };
}

/** Field operators make it match plain elements; anything else is a filter on elements that are documents. */
function parseElemMatch(path: string, value: Value, expr: CompileExpr): Filter {
  if (!isDoc(value)) throw badValue('$elemMatch needs an Object');
  const first = Object.keys(value)[0];
  const onValues = first?.startsWith('$') && !['$and', '$or', '$nor', '$expr', '$where', '$comment'].includes(first);
  if (!onValues) return { kind: 'elemMatch', path, of: parseFilter(value, expr) };
  return { kind: 'elemMatchValue', path, of: { kind: 'and', of: parseFieldOperators('', value, expr) } };
}

function parseSize(path: string, value: Value): Filter {
  const shown = typeof value === 'string' ? JSON.stringify(value) : isDoc(value) ? '{}' : String(value);
  if (!isNumeric(value)) throw badValue(`Failed to parse $size. Expected a number in: $size: ${shown}`);
  const size = asInteger(value);
  if (size === undefined) throw badValue(`Failed to parse $size. Expected an integer: $size: ${shown}`);
  if (size < 0) throw badValue(`Failed to parse $size. Expected a non-negative number in: $size: ${shown}`);
  return { kind: 'size', path, size };
}

function parseMod(path: string, value: Value): Filter {
  if (!Array.isArray(value)) throw badValue('malformed mod, needs to be an array');
  if (value.length < 2) throw badValue('malformed mod, not enough elements');
  if (value.length > 2) throw badValue('malformed mod, too many elements');
  const [divisor, remainder] = value;
  if (!isNumeric(divisor)) throw badValue('malformed mod, divisor not a number');
  if (!isNumeric(remainder)) throw badValue('malformed mod, remainder not a number');
  const whole = (n: typeof divisor) => BigInt(isInteger(n) ? n : Math.trunc(toNumber(n)));
  if (whole(divisor) === 0n) throw badValue('divisor cannot be 0');
  return test(path, { op: 'mod', divisor: whole(divisor), remainder: whole(remainder) });
}

function parseBits(name: string, all: boolean, set: boolean): Parse {
  return (path, value) => test(path, { op: 'bits', all, set, mask: bitMask(name, value) });
}

function truthy(v: Value): boolean {
  return isNumeric(v) ? toNumber(v) !== 0 : v !== false && v !== null;
}

const PARSERS: Record<string, Parse> = {
  $eq: (path, value) => test(path, { op: 'eq', value }),
  $ne: (path, value) => {
    if (isRegExp(value)) throw badValue("Can't have regex as arg to $ne.");
    return { kind: 'not', of: test(path, { op: 'eq', value }) };
  },
  $gt: comparison('gt'),
  $gte: comparison('gte'),
  $lt: comparison('lt'),
  $lte: comparison('lte'),
  $in: (path, value) => parseIn('$in', path, value),
  $nin: (path, value) => ({ kind: 'not', of: parseIn('$nin', path, value) }),
  $not: parseNot,
  $exists: (path, value) => (truthy(value) ? { kind: 'exists', path } : { kind: 'not', of: { kind: 'exists', path } }),
  $type: (path, value) => {
    const numbers = typeNumbers(value);
    if (numbers.size === 0) throw failedToParse(`${path} must match at least one type`);
    return test(path, { op: 'type', numbers });
  },
  $all: parseAll,
  $elemMatch: parseElemMatch,
  $size: parseSize,
  $mod: parseMod,
  $regex: (path, value, _expr, siblings) => test(path, regexTestOf(value, siblings.$options)),
  $bitsAllSet: parseBits('$bitsAllSet', true, true),
  $bitsAnySet: parseBits('$bitsAnySet', false, true),
  $bitsAllClear: parseBits('$bitsAllClear', true, false),
  $bitsAnyClear: parseBits('$bitsAnyClear', false, false),
};
