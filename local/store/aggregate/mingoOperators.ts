import { Decimal128, Double } from 'bson';
import { Context } from 'mingo/core';
import { $exp, $ln, $log, $log10, $pow } from 'mingo/operators/expression/arithmetic';
import {
  $dateFromParts,
  $dateToParts,
  $dateToString,
  $dateTrunc,
  $dayOfMonth,
  $dayOfWeek,
  $dayOfYear,
  $hour,
  $isoDayOfWeek,
  $isoWeek,
  $millisecond,
  $minute,
  $month,
  $second,
  $year,
} from 'mingo/operators/expression/date';
import {
  $acos,
  $asin,
  $atan,
  $atan2,
  $cos,
  $degreesToRadians,
  $radiansToDegrees,
  $sin,
  $tan,
} from 'mingo/operators/expression/trignometry';
import { badValue, CODE, notSupported, StoreError } from '../errors.ts';
import { asInteger } from '../values/numbers.ts';
import { type Doc, double, isDoc, isNumeric, typeOf, type Value } from '../values/value.ts';
import { type CompileOperator, type Env, type Expr, isNullish, namedArguments, type Scope } from './env.ts';

/** An operator of mingo: evaluates `expression` (here only literals) on an object. */
type MingoOperator = (object: null, expression: never, options: never) => unknown;

/** Mingo sees all operands as literals, computed here before; so this is all it needs to know. */
const OPTIONS = {
  context: Context.init({ expression: { $literal: (_object: unknown, value: unknown) => value } as never }),
};

/** What mingo computes with: JS numbers for all numbers. */
function toMingo(v: Value): unknown {
  if (v instanceof Decimal128) throw notSupported('arithmetic on Decimal128');
  if (typeof v === 'bigint') return Number(v);
  return v instanceof Double ? v.value : v;
}

/** The operand of an operator: one expression, several, or named ones. */
function compileOperand(argument: Value, scope: Scope): { each: Expr[]; literal: (values: unknown[]) => unknown } {
  const names = isDoc(argument) ? Object.keys(argument) : [];
  if (isDoc(argument) && names.length > 0 && !names[0]!.startsWith('$')) {
    return {
      each: names.map(name => scope.compile(argument[name]!, scope)),
      literal: values => Object.fromEntries(values.map((v, i) => [names[i]!, v])),
    };
  }
  if (Array.isArray(argument) && argument.length !== 1) {
    return { each: argument.map(e => scope.compile(e, scope)), literal: values => values };
  }
  const single = Array.isArray(argument) ? argument[0]! : argument;
  return { each: [scope.compile(single, scope)], literal: ([v]) => v };
}

/** An operator computed by mingo; null when an operand is null. `convert` gives the result its BSON type. */
function mingo(
  operator: unknown,
  accepts: (v: Value) => boolean,
  convert: (result: unknown) => Value,
): CompileOperator {
  return (argument, scope, name) => {
    const { each, literal } = compileOperand(argument, scope);
    const wrongOperand = (v: Value) => {
      const type = typeOf(v).name;
      if (accepts === isNumeric) return new StoreError(28765, `${name} only supports numeric types, not ${type}`);
      return new StoreError(16006, `can't convert from BSON type ${type} to Date`);
    };
    return env => {
      const literals: unknown[] = [];
      for (const e of each) {
        const v = e(env);
        if (isNullish(v)) return null;
        if (!accepts(v)) throw wrongOperand(v);
        literals.push({ $literal: toMingo(v) });
      }
      return convert(call(operator as MingoOperator, literal(literals)));
    };
  };
}

function call(operator: MingoOperator, operand: unknown): unknown {
  try {
    return operator(null, operand as never, OPTIONS as never);
  } catch (error) {
    throw badValue((error as Error).message);
  }
}

const asDouble = (result: unknown): Value => double(result as number);
const asIs = (result: unknown): Value => result as Value;

/** The parts of a date in the server's order. */
function inOrder(parts: unknown): Value {
  const { year, month, day, ...time } = parts as Doc;
  return { year: year!, month: month!, day: day!, ...time };
}

/** The parts of a date. A time zone is refused: mingo's offsets are not the server's around changes of the clock. */
function datePart(operator: unknown): CompileOperator {
  const compute = mingo(operator, v => v instanceof Date || isDoc(v), asIs);
  return (argument, scope, name) => {
    if (isDoc(argument) && 'timezone' in argument) throw notSupported(`the option 'timezone' of ${name}`);
    return compute(isDoc(argument) && 'date' in argument ? argument.date! : argument, scope, name);
  };
}

/** A date operator with named operands, of which only `known` are supported. */
function dateOperator(operator: unknown, known: readonly string[], convert = asIs): CompileOperator {
  const compute = mingo(operator, () => true, convert);
  return (argument, scope, name) => {
    if (!isDoc(argument)) throw new StoreError(CODE.FailedToParse, `${name} only supports an object as its argument`);
    const other = Object.keys(argument).find(k => !known.includes(k));
    if (other !== undefined) throw notSupported(`the option '${other}' of ${name}`);
    return compute(argument, scope, name);
  };
}

const dateToString: CompileOperator = (argument, scope, name) => {
  const { onNull, ...rest } = isDoc(argument) ? argument : {};
  const { format } = rest as Doc;
  if (format !== undefined && (typeof format !== 'string' || /%[^YmdHMSLju]|%$/.test(format))) {
    throw notSupported(`a format of ${name} with other parts than %Y %m %d %H %M %S %L %j %u`);
  }
  const compute = dateOperator($dateToString, ['date', 'format'])(rest as Doc, scope, name);
  const otherwise = onNull === undefined ? () => null : scope.compile(onNull, scope);
  return env => compute(env) ?? otherwise(env);
};

const UNIT_MS: Record<string, number> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};
const UNIT_MONTHS: Record<string, number> = { year: 12, quarter: 3, month: 1 };

/** `$dateAdd` and `$dateSubtract`: a day that the month does not have becomes its last one, as on the server. */
function shiftDate(sign: 1 | -1): CompileOperator {
  return (argument, scope, name) => {
    const { startDate, unit, amount } = namedArguments(argument, scope, name, ['startDate', 'unit', 'amount']);
    return (env: Env) => {
      const [date, of, by] = [startDate!(env), unit!(env), amount!(env)];
      if (isNullish(date) || isNullish(of) || isNullish(by)) return null;
      const n = isNumeric(by) ? asInteger(by) : undefined;
      if (!(date instanceof Date))
        throw new StoreError(5166403, `${name} requires startDate to be convertible to a date`);
      if (n === undefined) throw new StoreError(5166405, `${name} expects integer amount of time units`);
      const ms = UNIT_MS[String(of)];
      if (ms !== undefined) return new Date(date.getTime() + sign * n * ms);
      const months = UNIT_MONTHS[String(of)];
      if (months === undefined) throw new StoreError(CODE.FailedToParse, `unknown time unit value: ${String(of)}`);
      return addMonths(date, sign * n * months);
    };
  };
}

function addMonths(date: Date, months: number): Date {
  const day = date.getUTCDate();
  const out = new Date(date);
  out.setUTCDate(1);
  out.setUTCMonth(out.getUTCMonth() + months);
  const last = new Date(Date.UTC(out.getUTCFullYear(), out.getUTCMonth() + 1, 0)).getUTCDate();
  out.setUTCDate(Math.min(day, last));
  return out;
}

/** Operators on dates and the rarer ones on numbers, mostly mingo's. */
export const MINGO: Record<string, CompileOperator> = {
  $year: datePart($year),
  $month: datePart($month),
  $dayOfMonth: datePart($dayOfMonth),
  $dayOfWeek: datePart($dayOfWeek),
  $dayOfYear: datePart($dayOfYear),
  $hour: datePart($hour),
  $minute: datePart($minute),
  $second: datePart($second),
  $millisecond: datePart($millisecond),
  $isoDayOfWeek: datePart($isoDayOfWeek),
  $isoWeek: datePart($isoWeek),
  $dateToString: dateToString,
  $dateToParts: dateOperator($dateToParts, ['date'], inOrder),
  $dateFromParts: dateOperator($dateFromParts, ['year', 'month', 'day', 'hour', 'minute', 'second', 'millisecond']),
  $dateTrunc: dateOperator($dateTrunc, ['date', 'unit', 'binSize', 'startOfWeek']),
  $dateAdd: shiftDate(1),
  $dateSubtract: shiftDate(-1),
  $exp: mingo($exp, isNumeric, asDouble),
  $ln: mingo($ln, isNumeric, asDouble),
  $log: mingo($log, isNumeric, asDouble),
  $log10: mingo($log10, isNumeric, asDouble),
  $pow: mingo($pow, isNumeric, asIs),
  $sin: mingo($sin, isNumeric, asDouble),
  $cos: mingo($cos, isNumeric, asDouble),
  $tan: mingo($tan, isNumeric, asDouble),
  $asin: mingo($asin, isNumeric, asDouble),
  $acos: mingo($acos, isNumeric, asDouble),
  $atan: mingo($atan, isNumeric, asDouble),
  $atan2: mingo($atan2, isNumeric, asDouble),
  $degreesToRadians: mingo($degreesToRadians, isNumeric, asDouble),
  $radiansToDegrees: mingo($radiansToDegrees, isNumeric, asDouble),
};
