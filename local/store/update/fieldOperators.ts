import { Timestamp } from 'bson';
import { badValue, CODE, StoreError } from '../errors.ts';
import { compareValues } from '../values/compare.ts';
import { arithmetic, isInteger, type Numeric } from '../values/numbers.ts';
import { show } from '../values/show.ts';
import { double, isDoc, isInt32, isNumeric, narrow, typeOf, type Value } from '../values/value.ts';
import type { MakeLeaf } from './leaf.ts';

function numeric(name: '$inc' | '$mul'): MakeLeaf {
  const verb = name === '$inc' ? 'increment' : 'multiply';
  return (path, argument) => {
    if (!isNumeric(argument)) {
      throw new StoreError(CODE.TypeMismatch, `Cannot ${verb} with non-numeric argument: {${path}: ${show(argument)}}`);
    }
    return {
      creates: true,
      apply(old, { id }) {
        if (old === undefined) return name === '$inc' ? argument : zeroLike(argument);
        if (!isNumeric(old)) throw nonNumeric(name, path, old, id);
        const result = arithmetic(name === '$inc' ? '+' : '*', old, argument);
        if (result !== undefined) return result;
        throw badValue(
          `Failed to apply ${name} operations to current value ((NumberLong)${old}) for document {_id: ${show(id)}}`,
        );
      },
    };
  };
}

/** What `$mul` makes of a missing field: zero of the argument's type. */
function zeroLike(argument: Numeric): Value {
  if (typeof argument === 'bigint') return 0n;
  return typeof argument === 'number' && isInt32(argument) ? 0 : double(0);
}

function nonNumeric(name: string, path: string, old: Value, id: Value | undefined): StoreError {
  const field = path.slice(path.lastIndexOf('.') + 1);
  return new StoreError(
    CODE.TypeMismatch,
    `Cannot apply ${name} to a value of non-numeric type. {_id: ${show(id)}} has the field '${field}' of non-numeric type ${typeOf(old).name}`,
  );
}

function extreme(keepsOld: (comparison: number) => boolean): MakeLeaf {
  return (_path, argument) => ({
    creates: true,
    apply: old => (old !== undefined && keepsOld(compareValues(old, argument)) ? old : argument),
  });
}

const currentDate: MakeLeaf = (_path, argument) => {
  let kind: Value | undefined = 'date';
  if (isDoc(argument)) {
    kind = argument.$type;
    const other = Object.keys(argument).find(k => k !== '$type');
    if (other !== undefined) throw badValue(`Unrecognized $currentDate option: ${other}`);
    if (kind !== 'date' && kind !== 'timestamp') {
      throw badValue(
        "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
      );
    }
  } else if (typeof argument !== 'boolean') {
    throw badValue(
      `${typeOf(argument).name} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    );
  }
  return { creates: true, apply: (_old, { now }) => (kind === 'date' ? now : timestamp(now)) };
};

function timestamp(now: Date): Timestamp {
  return new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 });
}

const bit: MakeLeaf = (path, argument) => {
  if (!isDoc(argument)) {
    throw badValue(
      `The $bit modifier is not compatible with a ${typeOf(argument).name}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  const steps = Object.entries(argument).map(([op, operand]) => bitStep(op, operand));
  if (steps.length === 0) {
    throw badValue(`You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}`);
  }
  return {
    creates: true,
    apply(old, { id }) {
      const from = old === undefined ? 0 : old;
      if (isInteger(from)) return steps.reduce((n: number | bigint, step) => step(n), from);
      const field = path.slice(path.lastIndexOf('.') + 1);
      throw badValue(
        `Cannot apply $bit to a value of non-integral type._id: ${show(id)} has the field ${field} of non-integer type ${typeOf(from).name}`,
      );
    },
  };
};

function bitStep(op: string, operand: Value): (n: number | bigint) => number | bigint {
  if (op !== 'and' && op !== 'or' && op !== 'xor') {
    throw badValue(
      `The $bit modifier only supports 'and', 'or', and 'xor', not '${op}' which is an unknown operator: {${op}: ${show(operand)}}`,
    );
  }
  if (!isInteger(operand)) {
    throw badValue(
      `The $bit modifier field must be an Integer(32/64 bit); a '${typeOf(operand).name}' is not supported here: {${op}: ${show(operand)}}`,
    );
  }
  return n => {
    const [x, y] = [BigInt(n), BigInt(operand)];
    const result = op === 'and' ? x & y : op === 'or' ? x | y : x ^ y;
    return typeof n === 'bigint' || typeof operand === 'bigint' ? result : narrow(result);
  };
}

/** The operators that make a field's new value from its old one. */
export const FIELD_OPERATORS: Record<string, MakeLeaf> = {
  $set: (_path, argument) => ({ creates: true, apply: () => argument }),
  $setOnInsert: (_path, argument) => ({ creates: true, onlyOnInsert: true, apply: () => argument }),
  $unset: () => ({ creates: false, lenient: true, apply: () => undefined }),
  $inc: numeric('$inc'),
  $mul: numeric('$mul'),
  $min: extreme(c => c <= 0),
  $max: extreme(c => c >= 0),
  $currentDate: currentDate,
  $bit: bit,
};
