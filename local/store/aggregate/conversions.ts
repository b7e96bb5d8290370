import { Decimal128, Double, ObjectId } from 'bson';
import { CODE, StoreError } from '../errors.ts';
import { toNumber } from '../values/numbers.ts';
import { double, isInt32, isNumeric, typeOf, type Value } from '../values/value.ts';
import { argumentsOf, type CompileOperator, type Env, type Expr, isNullish, isTrue, namedArguments } from './env.ts';

/** Converts a value that is not null. */
type Convert = (v: Value) => Value;

function unsupported(v: Value, to: string): StoreError {
  return new StoreError(
    CODE.ConversionFailure,
    `Unsupported conversion from ${typeOf(v).name} to ${to} in $convert with no onError value`,
  );
}

function failed(reason: string): StoreError {
  return new StoreError(CODE.ConversionFailure, `${reason} in $convert with no onError value`);
}

/** Text of a value, as `$toString` has it. */
export function stringOf(v: Value): string {
  if (typeof v === 'string') return v;
  if (typeof v === 'boolean' || typeof v === 'bigint') return String(v);
  if (typeof v === 'number') return numberText(v);
  if (v instanceof Double) return numberText(v.value);
  if (v instanceof Date) return v.toISOString();
  if (v instanceof ObjectId) return v.toHexString();
  if (v instanceof Decimal128) return v.toString();
  throw unsupported(v, 'string');
}

function numberText(n: number): string {
  return Object.is(n, -0) ? '-0' : String(n).replace('e-0', 'e-').replace('Infinity', 'Infinity');
}

function toInt(v: Value): Value {
  const n = integerOf(v, 'int');
  if (n > 0x7fffffffn || n < -0x80000000n) {
    throw failed('Conversion would overflow target type');
  }
  return Number(n);
}

function toLong(v: Value): Value {
  const n = integerOf(v, 'long');
  if (n !== BigInt.asIntN(64, n)) throw failed('Conversion would overflow target type');
  return n;
}

function integerOf(v: Value, to: string): bigint {
  if (typeof v === 'bigint') return v;
  if (typeof v === 'boolean') return v ? 1n : 0n;
  if (typeof v === 'string') {
    if (/^[+-]?\d+$/.test(v)) return BigInt(v.replace(/^\+/, ''));
    throw failed(`Failed to parse number '${v}'`);
  }
  if (v instanceof Date && to === 'long') return BigInt(v.getTime());
  if (!isNumeric(v)) throw unsupported(v, to);
  const n = Math.trunc(toNumber(v));
  if (!Number.isFinite(n)) throw failed('Attempt to convert an infinite or NaN value to integer type');
  return BigInt(n);
}

function toDouble(v: Value): Value {
  if (typeof v === 'boolean') return double(v ? 1 : 0);
  if (v instanceof Date) return double(v.getTime());
  if (typeof v === 'string') {
    if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(v)) return double(Number(v));
    throw failed(`Failed to parse number '${v}'`);
  }
  if (isNumeric(v)) return double(toNumber(v));
  throw unsupported(v, 'double');
}

function toDate(v: Value): Value {
  if (v instanceof Date) return v;
  if (v instanceof ObjectId) return v.getTimestamp();
  if (typeof v === 'string') return parseDate(v);
  if (!isNumeric(v) || (typeof v === 'number' && isInt32(v))) throw unsupported(v, 'date');
  const date = new Date(Math.trunc(toNumber(v)));
  if (Number.isNaN(date.getTime())) throw failed('The date is out of range');
  return date;
}

function parseDate(text: string): Date {
  const iso = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text);
  const zoned = iso?.[1] === undefined && text.length > 10 ? `${text}Z` : text;
  const date = iso ? new Date(zoned.replace(' ', 'T')) : undefined;
  if (date && !Number.isNaN(date.getTime())) return date;
  throw failed(`Error parsing date string '${text}'`);
}

function toObjectId(v: Value): Value {
  if (v instanceof ObjectId) return v;
  if (typeof v !== 'string') throw unsupported(v, 'objectId');
  if (/^[0-9a-fA-F]{24}$/.test(v)) return new ObjectId(v);
  throw failed(`Failed to parse objectId '${v}'`);
}

function toBool(v: Value): Value {
  return isNumeric(v) || typeof v === 'boolean' ? isTrue(v) : true;
}

const TARGETS: Record<string, Convert> = {
  int: toInt,
  long: toLong,
  double: toDouble,
  string: stringOf,
  bool: toBool,
  date: toDate,
  objectId: toObjectId,
};

const TYPE_NUMBERS: Record<number, string> = {
  1: 'double',
  2: 'string',
  7: 'objectId',
  8: 'bool',
  9: 'date',
  16: 'int',
  18: 'long',
};

function converter(to: Convert): CompileOperator {
  return (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => {
      const v = e!(env);
      return isNullish(v) ? null : to(v);
    };
  };
}

const convert: CompileOperator = (argument, scope, name) => {
  const { input, to, onError, onNull } = namedArguments(argument, scope, name, ['input', 'to'], ['onError', 'onNull']);
  return env => {
    const target = to!(env);
    if (isNullish(target)) return null;
    const key = isNumeric(target) ? TYPE_NUMBERS[toNumber(target)] : target;
    if (typeof key !== 'string' || !Object.hasOwn(TARGETS, key)) {
      throw new StoreError(CODE.BadValue, `Unknown or unsupported type name: ${String(target)}`);
    }
    const v = input!(env);
    if (isNullish(v)) return onNull ? onNull(env) : null;
    return orElse(() => TARGETS[key]!(v), onError, env);
  };
};

function orElse(run: () => Value, onError: Expr | undefined, env: Env): Value | undefined {
  try {
    return run();
  } catch (error) {
    if (onError && error instanceof StoreError && error.code === CODE.ConversionFailure) return onError(env);
    throw error;
  }
}

/** Operators on types. */
export const CONVERSIONS: Record<string, CompileOperator> = {
  $type: (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => {
      const v = e!(env);
      return v === undefined ? 'missing' : typeOf(v).name;
    };
  },
  $isNumber: (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => isNumeric(e!(env));
  },
  $convert: convert,
  $toInt: converter(toInt),
  $toLong: converter(toLong),
  $toDouble: converter(toDouble),
  $toString: converter(stringOf),
  $toBool: converter(toBool),
  $toDate: converter(toDate),
  $toObjectId: converter(toObjectId),
};
