import { BSONRegExp } from 'bson';
import { StoreError } from '../errors.ts';
import { compileRegex } from '../query/regex.ts';
import { compareStrings } from '../values/compare.ts';
import { asInteger, toNumber } from '../values/numbers.ts';
import { isNumeric, typeOf, type Value } from '../values/value.ts';
import { stringOf } from './conversions.ts';
import { argumentsOf, type CompileOperator, isNullish, namedArguments } from './env.ts';

function nameOf(v: Value | undefined): string {
  return v === undefined ? 'missing' : typeOf(v).name;
}

const concat: CompileOperator = (argument, scope, name) => {
  const parts = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
  return env => {
    let all = '';
    for (const part of parts) {
      const v = part(env);
      if (isNullish(v)) return null;
      if (typeof v !== 'string') throw new StoreError(16702, `$concat only supports strings, not ${nameOf(v)}`);
      all += v;
    }
    return all;
  };
};

/** What the server takes for a string here: also numbers and dates; null is empty. */
function coerced(v: Value | undefined, name: string): string {
  if (isNullish(v)) return '';
  if (typeof v === 'string') return v;
  if (isNumeric(v) || v instanceof Date) return stringOf(v);
  throw new StoreError(16007, `can't convert from BSON type ${nameOf(v)} to String in ${name}`);
}

/** Only ASCII letters change, as on the server. */
function changeCase(change: (letter: string) => string, letters: RegExp): CompileOperator {
  return (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => coerced(e!(env), name).replace(letters, change);
  };
}

const substrCP: CompileOperator = (argument, scope, name) => {
  const [text, from, length] = argumentsOf(argument, scope, name, 3);
  return env => {
    const points = [...coerced(text!(env), name)];
    const [start, count] = [asInteger(from!(env)), asInteger(length!(env))];
    if (start === undefined) throw new StoreError(34450, `${name}: starting index must be a numeric type`);
    if (count === undefined) throw new StoreError(34452, `${name}: length must be a numeric type`);
    if (start < 0) throw new StoreError(34455, `${name}: the starting index must be nonnegative integer.`);
    if (count < 0) throw new StoreError(34454, `${name}: length must be a nonnegative integer.`);
    return points.slice(start, start + count).join('');
  };
};

const substrBytes: CompileOperator = (argument, scope, name) => {
  const [text, from, length] = argumentsOf(argument, scope, name, 3);
  return env => {
    const bytes = Buffer.from(coerced(text!(env), name));
    const [a, b] = [from!(env), length!(env)];
    if (!isNumeric(a))
      throw new StoreError(16034, `${name}: starting index must be a numeric type (is BSON type ${nameOf(a)})`);
    if (!isNumeric(b))
      throw new StoreError(16035, `${name}: length must be a numeric type (is BSON type ${nameOf(b)})`);
    const [start, count] = [Math.trunc(toNumber(a)), Math.trunc(toNumber(b))];
    if (start < 0) throw new StoreError(50752, `${name}: starting index must be non-negative (got: ${start})`);
    const stop = count < 0 ? bytes.length : Math.min(bytes.length, start + count);
    const splits = (at: number) => at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
    if (splits(start))
      throw new StoreError(28656, `${name}:  Invalid range, starting index is a UTF-8 continuation byte.`);
    if (splits(stop))
      throw new StoreError(28657, `${name}:  Invalid range, ending index is in the middle of a UTF-8 character.`);
    return bytes.subarray(start, stop).toString();
  };
};

function lengthOf(count: (text: string) => number, code: number): CompileOperator {
  return (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => {
      const v = e!(env);
      if (typeof v === 'string') return count(v);
      throw new StoreError(code, `${name} requires a string argument, found: ${nameOf(v)}`);
    };
  };
}

const split: CompileOperator = (argument, scope, name) => {
  const [text, separator] = argumentsOf(argument, scope, name, 2);
  return env => {
    const [v, by] = [text!(env), separator!(env)];
    if (isNullish(v) || isNullish(by)) return null;
    if (typeof v !== 'string')
      throw new StoreError(
        40085,
        `$split requires an expression that evaluates to a string as a first argument, found: ${nameOf(v)}`,
      );
    if (typeof by !== 'string')
      throw new StoreError(
        40086,
        `$split requires an expression that evaluates to a string as a second argument, found: ${nameOf(by)}`,
      );
    if (by === '') throw new StoreError(40087, '$split requires a non-empty separator');
    return v.split(by);
  };
};

function trimmer(left: boolean, right: boolean): CompileOperator {
  return (argument, scope, name) => {
    const { input, chars } = namedArguments(argument, scope, name, ['input'], ['chars']);
    return env => {
      const v = input!(env);
      const set = chars
        ? chars(env)
        : ' \t\n\v\f\r\0\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a';
      if (isNullish(v) || isNullish(set)) return null;
      if (typeof v !== 'string')
        throw new StoreError(
          50699,
          `${name} requires its input to be a string, got ${String(v)} (of type ${nameOf(v)}) instead.`,
        );
      if (typeof set !== 'string')
        throw new StoreError(50700, `${name} requires 'chars' to be a string, got ${nameOf(set)} instead.`);
      const points = [...v];
      const drop = new Set(set);
      let [from, to] = [0, points.length];
      while (left && from < to && drop.has(points[from]!)) from++;
      while (right && to > from && drop.has(points[to - 1]!)) to--;
      return points.slice(from, to).join('');
    };
  };
}

const strcasecmp: CompileOperator = (argument, scope, name) => {
  const [left, right] = argumentsOf(argument, scope, name, 2);
  const upper = (v: Value | undefined) => coerced(v, name).replace(/[a-z]/g, c => c.toUpperCase());
  return env => Math.sign(compareStrings(upper(left!(env)), upper(right!(env))));
};

function replacing(all: boolean): CompileOperator {
  return (argument, scope, name) => {
    const named = namedArguments(argument, scope, name, ['input', 'find', 'replacement']);
    return env => {
      const texts = ['input', 'find', 'replacement'].map(key => {
        const v = named[key]!(env);
        if (!isNullish(v) && typeof v !== 'string') {
          throw new StoreError(51745, `${name} requires that '${key}' be a string, found: ${nameOf(v)}`);
        }
        return v as string | null | undefined;
      });
      const [input, find, by] = texts;
      if (isNullish(input) || isNullish(find) || isNullish(by)) return null;
      if (all) return input.split(find).join(by);
      const at = input.indexOf(find);
      return at < 0 ? input : input.slice(0, at) + by + input.slice(at + find.length);
    };
  };
}

/** `$indexOfCP` and `$indexOfBytes`. */
function indexOf(split: (text: string) => ArrayLike<unknown>, sizeOf: (text: string) => number): CompileOperator {
  return (argument, scope, name) => {
    const [text, part, from, to] = argumentsOf(argument, scope, name, 2, 4);
    return env => {
      const v = text!(env);
      if (isNullish(v)) return null;
      const wanted = part!(env);
      if (typeof v !== 'string')
        throw new StoreError(40091, `${name} requires a string as the first argument, found: ${nameOf(v)}`);
      if (typeof wanted !== 'string')
        throw new StoreError(40092, `${name} requires a string as the second argument, found: ${nameOf(wanted)}`);
      const start = asInteger(from?.(env)) ?? 0;
      const stop = Math.min(asInteger(to?.(env)) ?? Number.POSITIVE_INFINITY, split(v).length);
      for (let unit = v.indexOf(wanted); unit >= 0; unit = v.indexOf(wanted, unit + 1)) {
        const at = sizeOf(v.slice(0, unit));
        if (at >= start) return at + sizeOf(wanted) <= stop ? at : -1;
      }
      return -1;
    };
  };
}

const regexMatch: CompileOperator = (argument, scope, name) => {
  const { input, regex, options } = namedArguments(argument, scope, name, ['input', 'regex'], ['options']);
  return env => {
    const [text, pattern, flags] = [input!(env), regex!(env), options?.(env)];
    if (isNullish(text) || isNullish(pattern)) return false;
    if (typeof text !== 'string') throw new StoreError(51104, `${name} needs 'input' to be of type string`);
    const source = pattern instanceof BSONRegExp ? pattern : undefined;
    if (!source && typeof pattern !== 'string')
      throw new StoreError(51105, `${name} needs 'regex' to be of type string or regex`);
    const chosen = typeof flags === 'string' ? flags : (source?.options ?? '');
    return compileRegex(source?.pattern ?? (pattern as string), chosen).test(text);
  };
};

/** Operators on strings. */
export const STRINGS: Record<string, CompileOperator> = {
  $concat: concat,
  $toLower: changeCase(c => c.toLowerCase(), /[A-Z]/g),
  $toUpper: changeCase(c => c.toUpperCase(), /[a-z]/g),
  $substrCP: substrCP,
  $substrBytes: substrBytes,
  $substr: substrBytes,
  $strLenCP: lengthOf(text => [...text].length, 34471),
  $strLenBytes: lengthOf(text => Buffer.byteLength(text), 34473),
  $split: split,
  $trim: trimmer(true, true),
  $ltrim: trimmer(true, false),
  $rtrim: trimmer(false, true),
  $strcasecmp: strcasecmp,
  $replaceOne: replacing(false),
  $replaceAll: replacing(true),
  $indexOfCP: indexOf(
    text => [...text],
    text => [...text].length,
  ),
  $indexOfBytes: indexOf(
    text => Buffer.from(text),
    text => Buffer.byteLength(text),
  ),
  $regexMatch: regexMatch,
};
