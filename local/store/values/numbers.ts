import { Decimal128, Double } from 'bson';
import { notSupported } from '../errors.ts';
import { double, isInt32, narrow, type Value } from './value.ts';

export type Numeric = number | bigint | Double | Decimal128;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** Whether the number is of an integer type (int32 or int64). */
export function isInteger(n: Value | undefined): n is number | bigint {
  return typeof n === 'bigint' || (typeof n === 'number' && isInt32(n));
}

/** The number as a JS number, losing what a double cannot hold. */
export function toNumber(n: Numeric): number {
  if (typeof n === 'number') return n;
  if (n instanceof Double) return n.value;
  return Number(n.toString());
}

/** The number as an integer when it is one of any width (3, 3.0, 3n, decimal 3); otherwise undefined. */
export function asInteger(n: Value | undefined): number | undefined {
  if (typeof n !== 'number' && typeof n !== 'bigint' && !(n instanceof Double) && !(n instanceof Decimal128)) {
    return undefined;
  }
  const x = toNumber(n);
  return Number.isSafeInteger(x) ? x + 0 : undefined;
}

/**
 * Sum, difference or product with MongoDB's result types: int32 widens to int64 when it overflows, a double makes a
 * double. Returns undefined when an int64 overflows; refuses decimals, which the store keeps but does not compute with.
 */
export function arithmetic(op: '+' | '-' | '*', a: Numeric, b: Numeric): number | bigint | Double | undefined {
  if (a instanceof Decimal128 || b instanceof Decimal128) throw notSupported('arithmetic on Decimal128');
  if (isInteger(a) && isInteger(b)) {
    const exact = compute(op, BigInt(a), BigInt(b)) as bigint;
    if (exact > INT64_MAX || exact < INT64_MIN) return undefined;
    return typeof a === 'bigint' || typeof b === 'bigint' ? exact : narrow(exact);
  }
  return double(compute(op, toNumber(a), toNumber(b)) as number);
}

function compute<T extends number | bigint>(op: '+' | '-' | '*', a: T, b: T): number | bigint {
  if (op === '+') return (a as number) + (b as number);
  return op === '-' ? (a as number) - (b as number) : (a as number) * (b as number);
}
