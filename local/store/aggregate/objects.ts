import { StoreError } from '../errors.ts';
import { compareValues, equalValues } from '../values/compare.ts';
import { type Doc, fieldOf, isDoc, setField, typeOf, type Value } from '../values/value.ts';
import { ACCUMULATORS } from './accumulators.ts';
import { argumentsOf, type CompileOperator, type Expr, isNullish, isTrue, namedArguments } from './env.ts';

function nameOf(v: Value | undefined): string {
  return v === undefined ? 'missing' : typeOf(v).name;
}

const mergeObjects: CompileOperator = (argument, scope, name) => {
  const parts = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
  return env => {
    const merge = ACCUMULATORS.$mergeObjects!();
    const values = parts.map(p => p(env));
    const all = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
    for (const v of all) merge.add(v);
    return merge.result();
  };
};

const objectToArray: CompileOperator = (argument, scope, name) => {
  const [e] = argumentsOf(argument, scope, name, 1);
  return env => {
    const v = e!(env);
    if (isNullish(v)) return null;
    if (!isDoc(v)) throw new StoreError(40390, `$objectToArray requires a document input, found: ${nameOf(v)}`);
    return Object.entries(v).map(([k, x]): Doc => ({ k, v: x }));
  };
};

const arrayToObject: CompileOperator = (argument, scope, name) => {
  const [e] = argumentsOf(Array.isArray(argument) && argument.length !== 1 ? [argument] : argument, scope, name, 1);
  return env => {
    const v = e!(env);
    if (isNullish(v)) return null;
    if (!Array.isArray(v)) throw new StoreError(40386, `$arrayToObject requires an array input, found: ${nameOf(v)}`);
    const doc: Doc = {};
    for (const pair of v) {
      const [key, value] = Array.isArray(pair) ? pair : isDoc(pair) ? [fieldOf(pair, 'k'), fieldOf(pair, 'v')] : [];
      if (typeof key !== 'string' || value === undefined) {
        throw new StoreError(40392, '$arrayToObject requires arrays of [key, value] pairs or of { k, v } objects');
      }
      setField(doc, key, value);
    }
    return doc;
  };
};

const getField: CompileOperator = (argument, scope) => {
  const spec = isDoc(argument) && 'field' in argument ? argument : { field: argument };
  const name = isDoc(spec.field) ? spec.field.$literal : spec.field;
  if (typeof name !== 'string') {
    throw new StoreError(5654602, `$getField requires 'field' to evaluate to a constant String`);
  }
  const input: Expr = 'input' in spec ? scope.compile(spec.input as Value, scope) : env => env.root;
  return env => {
    const from = input(env);
    if (isDoc(from)) return fieldOf(from, name);
    return from === null ? null : undefined;
  };
};

const setFieldOperator: CompileOperator = (argument, scope, name) => {
  const { input, value } = namedArguments(argument, scope, name, ['field', 'input', 'value']);
  const given = (argument as Doc).field!;
  const field = isDoc(given) ? given.$literal : given;
  if (typeof field !== 'string') throw new StoreError(4161107, "$setField requires 'field' to be a constant String");
  return env => {
    const from = input!(env);
    if (isNullish(from)) return null;
    if (!isDoc(from)) throw new StoreError(4161105, `$setField requires 'input' to evaluate to type Object`);
    const out: Doc = { ...from };
    const v = value!(env);
    if (v === undefined) delete out[field];
    else setField(out, field, v);
    return out;
  };
};

/** A set operator on arrays. */
function onSets(combine: (sets: Value[][]) => Value, code: number, nullable: boolean): CompileOperator {
  return (argument, scope, name) => {
    const parts = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
    return env => {
      const sets: Value[][] = [];
      for (const part of parts) {
        const v = part(env);
        if (nullable && isNullish(v)) return null;
        if (!Array.isArray(v))
          throw new StoreError(code, `All operands of ${name} must be arrays. One argument is of type: ${nameOf(v)}`);
        sets.push(v);
      }
      return combine(sets);
    };
  };
}

/** The distinct values in their own order, as the server's sets are. */
function distinct(values: Value[]): Value[] {
  return firsts(values).sort(compareValues);
}

/** The distinct values in the order in which they come. */
function firsts(values: Value[]): Value[] {
  const set = ACCUMULATORS.$addToSet!();
  for (const v of values) set.add(v);
  return set.result() as Value[];
}

function has(set: Value[], v: Value): boolean {
  return set.some(x => equalValues(x, v));
}

/** An accumulator as an expression: over its arguments, or the elements of a single array. */
function accumulating(name: string): CompileOperator {
  return (argument, scope) => {
    const parts = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
    return env => {
      const accumulator = ACCUMULATORS[name]!();
      const values = parts.map(p => p(env));
      for (const v of values.length === 1 && Array.isArray(values[0]) ? values[0] : values) accumulator.add(v);
      return accumulator.result();
    };
  };
}

/** Operators on documents and sets, and the accumulators that are expressions too. */
export const OBJECTS: Record<string, CompileOperator> = {
  $mergeObjects: mergeObjects,
  $objectToArray: objectToArray,
  $arrayToObject: arrayToObject,
  $getField: getField,
  $setField: setFieldOperator,
  $setUnion: onSets(sets => distinct(sets.flat()), 17043, true),
  $setIntersection: onSets(
    ([first = [], ...others]) => distinct(first).filter(v => others.every(s => has(s, v))),
    17047,
    true,
  ),
  $setDifference: onSets(([a = [], b = []]) => firsts(a).filter(v => !has(b, v)), 17048, true),
  $setEquals: onSets(
    ([a = [], ...others]) => others.every(s => s.every(v => has(a, v)) && a.every(v => has(s, v))),
    17044,
    false,
  ),
  $setIsSubset: onSets(([a = [], b = []]) => a.every(v => has(b, v)), 17046, false),
  $allElementsTrue: (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => elements(e!(env), name).every(isTrue);
  },
  $anyElementTrue: (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => elements(e!(env), name).some(isTrue);
  },
  $sum: accumulating('$sum'),
  $avg: accumulating('$avg'),
  $min: accumulating('$min'),
  $max: accumulating('$max'),
  $stdDevPop: accumulating('$stdDevPop'),
  $stdDevSamp: accumulating('$stdDevSamp'),
};

function elements(v: Value | undefined, name: string): Value[] {
  if (Array.isArray(v)) return v;
  throw new StoreError(17040, `${name}'s argument must be an array, but is ${nameOf(v)}`);
}
