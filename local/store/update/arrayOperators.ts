import { badValue, CODE, failedToParse, StoreError } from '../errors.ts';
import { type CompileExpr, isOperators, parseFilter } from '../query/filter.ts';
import { compileFilter } from '../query/match.ts';
import { isRegExp } from '../query/regex.ts';
import { parseSort, sortKey } from '../query/sort.ts';
import { compareValues, equalValues } from '../values/compare.ts';
import { createKeyWriter } from '../values/key.ts';
import { asInteger } from '../values/numbers.ts';
import { show } from '../values/show.ts';
import { isDoc, isNumeric, typeOf, type Value } from '../values/value.ts';
import type { MakeLeaf } from './leaf.ts';

interface PushModifiers {
  each: Value[];
  position: number | undefined;
  slice: number | undefined;
  sort: ((a: Value, b: Value) => number) | undefined;
}

const push: MakeLeaf = (path, argument) => {
  const modifiers = pushModifiers(argument);
  return {
    creates: true,
    apply(old, { id }) {
      if (old !== undefined && !Array.isArray(old)) {
        throw badValue(
          `The field '${path}' must be an array but is of type ${typeOf(old).name} in document {_id: ${show(id)}}`,
        );
      }
      return pushed(old ?? [], modifiers);
    },
  };
};

function pushed(old: Value[], { each, position, slice, sort }: PushModifiers): Value[] {
  const at = position === undefined ? old.length : position < 0 ? Math.max(0, old.length + position) : position;
  const all = old.toSpliced(Math.min(at, old.length), 0, ...each);
  if (sort) all.sort(sort);
  if (slice === undefined) return all;
  return slice < 0 ? all.slice(Math.max(0, all.length + slice)) : all.slice(0, slice);
}

function pushModifiers(argument: Value): PushModifiers {
  if (!isDoc(argument) || !('$each' in argument)) {
    return { each: [argument], position: undefined, slice: undefined, sort: undefined };
  }
  const { $each: each, $slice, $position, $sort } = argument;
  if (!Array.isArray(each)) {
    throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeOf(each!).name}`);
  }
  const unknown = Object.keys(argument).find(k => !['$each', '$slice', '$position', '$sort'].includes(k));
  if (unknown !== undefined) throw badValue(`Unrecognized clause in $push: ${unknown}`);
  const slice = asInteger($slice);
  const position = asInteger($position);
  if ($slice !== undefined && slice === undefined) {
    throw badValue(`The value for $slice must be an integer value but was given type: ${typeOf($slice).name}`);
  }
  if ($position !== undefined && position === undefined) {
    throw badValue(`The value for $position must be an integer value, not of type: ${typeOf($position).name}`);
  }
  return { each, slice, position, sort: $sort === undefined ? undefined : elementOrder($sort) };
}

/** `$sort` of `$push`: 1 or -1 for whole elements, or fields of elements that are documents. */
function elementOrder(sort: Value): (a: Value, b: Value) => number {
  if (isNumeric(sort)) {
    const direction = asInteger(sort);
    if (direction !== 1 && direction !== -1) throw badValue('The $sort element value must be either 1 or -1');
    return (a, b) => direction * compareValues(a, b);
  }
  if (!isDoc(sort))
    throw badValue(`The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields`);
  if (Object.keys(sort).length === 0) throw badValue('The $sort pattern is empty when it should be a set of fields.');
  const fields = parseSort(sort);
  const writer = createKeyWriter();
  const key = (v: Value) => sortKey(isDoc(v) ? v : {}, fields, writer);
  return (a, b) => Buffer.compare(key(a), key(b));
}

const addToSet: MakeLeaf = (path, argument) => {
  const each = eachToAdd(argument);
  return {
    creates: true,
    apply(old) {
      if (old !== undefined && !Array.isArray(old)) {
        const field = path.slice(path.lastIndexOf('.') + 1);
        throw badValue(
          `Cannot apply $addToSet to non-array field. Field named '${field}' has non-array type ${typeOf(old).name}`,
        );
      }
      const set = [...(old ?? [])];
      for (const v of each) if (!set.some(x => equalValues(x, v))) set.push(v);
      return set;
    },
  };
};

function eachToAdd(argument: Value): Value[] {
  if (!isDoc(argument) || Object.keys(argument)[0] !== '$each') return [argument];
  const each = argument.$each!;
  if (!Array.isArray(each)) {
    throw new StoreError(
      CODE.TypeMismatch,
      `The argument to $each in $addToSet must be an array but it was of type ${typeOf(each).name}`,
    );
  }
  if (Object.keys(argument).length > 1) {
    throw badValue(`Found unexpected fields after $each in $addToSet: ${show(argument)}`);
  }
  return each;
}

const pop: MakeLeaf = (path, argument) => {
  if (!isNumeric(argument)) throw failedToParse(`Expected a number in: ${path}: ${show(argument)}`);
  const end = asInteger(argument);
  if (end !== 1 && end !== -1) throw failedToParse(`$pop expects 1 or -1, found: ${show(argument)}`);
  return {
    creates: false,
    apply(old) {
      if (old === undefined) return old;
      if (Array.isArray(old)) return end === 1 ? old.slice(0, -1) : old.slice(1);
      throw new StoreError(
        CODE.TypeMismatch,
        `Path '${path}' contains an element of non-array type '${typeOf(old).name}'`,
      );
    },
  };
};

function removing(matches: (v: Value) => boolean): ReturnType<MakeLeaf> {
  return {
    creates: false,
    apply(old) {
      if (old === undefined) return old;
      if (!Array.isArray(old)) throw badValue('Cannot apply $pull to a non-array value');
      return old.filter(v => !matches(v));
    },
  };
}

const pullAll: MakeLeaf = (_path, argument) => {
  if (!Array.isArray(argument)) {
    throw badValue(`$pullAll requires an array argument but was given a ${typeOf(argument).name}`);
  }
  return removing(v => argument.some(x => equalValues(x, v)));
};

/** `$pull`: a value removes its equals, operators are tested on each element, a document is a filter on documents. */
function pull(expr: CompileExpr): MakeLeaf {
  return (_path, argument) => {
    if (isRegExp(argument) || isOperators(argument)) {
      const matches = compileFilter(parseFilter({ '': argument }, expr));
      return removing(v => matches({ '': v }));
    }
    if (!isDoc(argument)) return removing(v => equalValues(v, argument));
    const matches = compileFilter(parseFilter(argument, expr));
    return removing(v => isDoc(v) && matches(v));
  };
}

/** The operators on arrays. */
export function arrayOperators(expr: CompileExpr): Record<string, MakeLeaf> {
  return { $push: push, $addToSet: addToSet, $pop: pop, $pull: pull(expr), $pullAll: pullAll };
}
