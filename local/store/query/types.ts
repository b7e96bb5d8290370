import { badValue } from '../errors.ts';
import { asInteger } from '../values/numbers.ts';
import { isNumeric, type Value } from '../values/value.ts';

const NUMBERS: Record<string, number> = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
};

const NUMERIC = [1, 16, 18, 19];
const KNOWN = new Set(Object.values(NUMBERS));

/** BSON type numbers that the operand of `$type` names: one type or several, by number, alias or `number`. */
export function typeNumbers(operand: Value): ReadonlySet<number> {
  const types = Array.isArray(operand) ? operand : [operand];
  return new Set(types.flatMap(typeNumber));
}

function typeNumber(type: Value): number[] {
  if (type === 'number') return NUMERIC;
  if (typeof type === 'string') {
    if (!Object.hasOwn(NUMBERS, type)) throw badValue(`Unknown type name alias: ${type}`);
    return [NUMBERS[type]!];
  }
  if (!isNumeric(type)) throw badValue('type must be represented as a number or a string');
  const n = asInteger(type);
  if (n === undefined || !KNOWN.has(n)) throw badValue(`Invalid numerical type code: ${type}`);
  return [n];
}
