import { Decimal128 } from 'bson';
import { CODE, notSupported, StoreError } from '../errors.ts';
import { exactOfDouble } from '../values/exact.ts';
import { arithmetic, isInteger, type Numeric, toNumber } from '../values/numbers.ts';
import { double, isNumeric, narrow, typeOf, type Value } from '../values/value.ts';
import { argumentsOf, type CompileOperator, isNullish } from './env.ts';

/** Adds or multiplies; an int64 that overflows becomes a double, as in the server's expressions. */
export function calculate(op: '+' | '-' | '*', a: Numeric, b: Numeric): Numeric {
  const exact = arithmetic(op, a, b);
  if (exact !== undefined) return exact;
  const [x, y] = [toNumber(a), toNumber(b)];
  return double(op === '+' ? x + y : op === '-' ? x - y : x * y);
}

function needsNumber(name: string, v: Value): StoreError {
  return new StoreError(CODE.TypeMismatch, `${name} only supports numeric types, not ${typeOf(v).name}`);
}

const add: CompileOperator = (argument, scope, name) => {
  const terms = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
  return env => {
    let sum: Numeric = 0;
    let date: Date | undefined;
    for (const term of terms) {
      const v = term(env);
      if (isNullish(v)) return null;
      if (v instanceof Date) {
        if (date) throw new StoreError(16612, 'only one date allowed in an $add expression');
        date = v;
      } else if (isNumeric(v)) sum = calculate('+', sum, v);
      else {
        throw new StoreError(16554, `$add only supports numeric or date types, not ${typeOf(v).name}`);
      }
    }
    return date ? new Date(date.getTime() + Math.round(toNumber(sum))) : sum;
  };
};

const subtract: CompileOperator = (argument, scope, name) => {
  const [left, right] = argumentsOf(argument, scope, name, 2);
  return env => {
    const [a, b] = [left!(env), right!(env)];
    if (isNullish(a) || isNullish(b)) return null;
    if (isNumeric(a) && isNumeric(b)) return calculate('-', a, b);
    if (a instanceof Date && b instanceof Date) return BigInt(a.getTime() - b.getTime());
    if (a instanceof Date && isNumeric(b)) return new Date(a.getTime() - Math.round(toNumber(b)));
    throw new StoreError(CODE.TypeMismatch, `can't $subtract ${typeOf(b).name} from ${typeOf(a).name}`);
  };
};

const multiply: CompileOperator = (argument, scope, name) => {
  const factors = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
  return env => {
    let product: Numeric = 1;
    for (const factor of factors) {
      const v = factor(env);
      if (isNullish(v)) return null;
      if (!isNumeric(v)) throw needsNumber(name, v);
      product = calculate('*', product, v);
    }
    return product;
  };
};

const divide: CompileOperator = (argument, scope, name) => {
  const [left, right] = argumentsOf(argument, scope, name, 2);
  return env => {
    const [a, b] = [left!(env), right!(env)];
    if (isNullish(a) || isNullish(b)) return null;
    if (!isNumeric(a) || !isNumeric(b)) {
      throw new StoreError(
        CODE.TypeMismatch,
        `$divide only supports numeric types, not ${typeOf(a).name} and ${typeOf(b).name}`,
      );
    }
    refuseDecimal(a, b);
    if (toNumber(b) === 0) throw new StoreError(CODE.BadValue, "can't $divide by zero");
    return double(toNumber(a) / toNumber(b));
  };
};

const mod: CompileOperator = (argument, scope, name) => {
  const [left, right] = argumentsOf(argument, scope, name, 2);
  return env => {
    const [a, b] = [left!(env), right!(env)];
    if (isNullish(a) || isNullish(b)) return null;
    if (!isNumeric(a) || !isNumeric(b)) {
      throw new StoreError(16611, `$mod only supports numeric types, not ${typeOf(a).name} and ${typeOf(b).name}`);
    }
    refuseDecimal(a, b);
    if (toNumber(b) === 0) throw new StoreError(16610, "can't $mod by zero");
    if (!isInteger(a) || !isInteger(b)) return double(toNumber(a) % toNumber(b));
    const rest = BigInt(a) % BigInt(b);
    return typeof a === 'bigint' || typeof b === 'bigint' ? rest : narrow(rest);
  };
};

function refuseDecimal(...numbers: Numeric[]): void {
  if (numbers.some(n => n instanceof Decimal128)) throw notSupported('arithmetic on Decimal128');
}

/** An operator on one number; integers are given back by `ofInteger` when it is there, else computed as doubles. */
function unary(ofDouble: (n: number) => number, ofInteger?: (n: bigint) => bigint): CompileOperator {
  return (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => {
      const v = e!(env);
      if (isNullish(v)) return null;
      if (!isNumeric(v)) throw new StoreError(28765, `${name} only supports numeric types, not ${typeOf(v).name}`);
      refuseDecimal(v);
      if (ofInteger && isInteger(v)) return typeof v === 'bigint' ? ofInteger(v) : narrow(ofInteger(BigInt(v)));
      return double(ofDouble(toNumber(v)));
    };
  };
}

/** `$round` (half to even) and `$trunc`, to a number of decimal places. */
function toPlaces(cut: (quotient: bigint, rest: bigint, divisor: bigint) => bigint): CompileOperator {
  return (argument, scope, name) => {
    const [number, places] = argumentsOf(argument, scope, name, 1, 2);
    return env => {
      const v = number!(env);
      const digits = places ? places(env) : 0;
      if (isNullish(v) || isNullish(digits)) return null;
      if (!isNumeric(v)) throw new StoreError(51081, `${name} only supports numeric types, not ${typeOf(v).name}`);
      if (!isNumeric(digits) || !Number.isInteger(toNumber(digits))) {
        throw new StoreError(51082, `precision argument to  ${name} must be a integral value`);
      }
      refuseDecimal(v);
      const n = toNumber(digits);
      if (n < -20 || n > 100)
        throw new StoreError(51083, `cannot apply ${name} with precision value ${n} value must be in [-20, 100]`);
      if (isInteger(v) && n >= 0) return v;
      const result = scaled(toNumber(v), n, cut);
      return isInteger(v) ? (typeof v === 'bigint' ? BigInt(result) : narrow(BigInt(result))) : double(result);
    };
  };
}

/** Cuts the exact value of a double, as the server does: 2.675 is a little less than that, so it rounds to 2.67. */
function scaled(n: number, places: number, cut: (quotient: bigint, rest: bigint, divisor: bigint) => bigint): number {
  if (!Number.isFinite(n)) return n;
  const { digits, exponent } = exactOfDouble(n);
  if (exponent + places >= 0) return n;
  const divisor = 10n ** BigInt(-(exponent + places));
  return Number(`${cut(digits / divisor, digits % divisor, divisor)}e${-places}`);
}

function halfToEven(quotient: bigint, rest: bigint, divisor: bigint): bigint {
  const twice = 2n * (rest < 0n ? -rest : rest);
  if (twice < divisor || (twice === divisor && quotient % 2n === 0n)) return quotient;
  return rest < 0n ? quotient - 1n : quotient + 1n;
}

/** Operators on numbers. */
export const ARITHMETIC: Record<string, CompileOperator> = {
  $add: add,
  $subtract: subtract,
  $multiply: multiply,
  $divide: divide,
  $mod: mod,
  $abs: unary(Math.abs, n => (n < 0n ? -n : n)),
  $ceil: unary(Math.ceil, n => n),
  $floor: unary(Math.floor, n => n),
  $sqrt: unary(n => {
    if (n < 0) throw new StoreError(28714, "$sqrt's argument must be greater than or equal to 0");
    return Math.sqrt(n);
  }),
  $round: toPlaces(halfToEven),
  $trunc: toPlaces(quotient => quotient),
};
