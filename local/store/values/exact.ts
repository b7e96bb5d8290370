import type { Decimal128 } from 'bson';

/** A finite number as `digits * 10 ** exponent`, exactly. */
export interface Exact {
  digits: bigint;
  exponent: number;
}

/** The exact value of a decimal; undefined for NaN and the infinities. */
export function exactOfDecimal(d: Decimal128): Exact | undefined {
  const m = /^(-?)(\d+)(?:\.(\d*))?(?:E([+-]?\d+))?$/.exec(d.toString());
  if (!m) return undefined;
  const fraction = m[3] ?? '';
  const digits = BigInt(`${m[2]}${fraction}`);
  return { digits: m[1] ? -digits : digits, exponent: Number(m[4] ?? 0) - fraction.length };
}

/** The exact value of a finite double: its mantissa times a power of two, which ends in base ten. */
export function exactOfDouble(n: number): Exact {
  if (Number.isInteger(n)) return { digits: BigInt(n), exponent: 0 };
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, n);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const power = (biased === 0 ? 1 : biased) - 1075;
  // Not an integer, so the power is negative: m / 2^k = m * 5^k / 10^k.
  const digits = mantissa * 5n ** BigInt(-power);
  return { digits: n < 0 ? -digits : digits, exponent: power };
}

/** The exact sum of two numbers. */
export function addExact(a: Exact, b: Exact): Exact {
  const exponent = Math.min(a.exponent, b.exponent);
  return { digits: scale(a, exponent) + scale(b, exponent), exponent };
}

/** -1, 0 or 1 as `a` is below, equal to or above `b`. */
export function compareExact(a: Exact, b: Exact): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const [x, y] = [scale(a, exponent), scale(b, exponent)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function scale(x: Exact, exponent: number): bigint {
  return x.digits * 10n ** BigInt(x.exponent - exponent);
}

/** The greatest double not above `x`; -Infinity below the range of doubles. */
export function floorToDouble(x: Exact): number {
  const near = Number(`${x.digits}e${x.exponent}`);
  if (near === Number.POSITIVE_INFINITY) return Number.MAX_VALUE;
  if (near === Number.NEGATIVE_INFINITY) return near;
  return compareExact(exactOfDouble(near), x) <= 0 ? near : nextBelow(near);
}

function nextBelow(n: number): number {
  if (n === 0) return -Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, n);
  view.setBigInt64(0, view.getBigInt64(0) + (n > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
