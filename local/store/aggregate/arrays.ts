import { CODE, StoreError } from '../errors.ts';
import { compareValues, equalValues } from '../values/compare.ts';
import { asInteger } from '../values/numbers.ts';
import { isDoc, isNumeric, typeOf, type Value } from '../values/value.ts';
import { argumentsOf, type CompileOperator, type Expr, isNullish, isTrue, namedArguments, type Scope } from './env.ts';

function nameOf(v: Value | undefined): string {
  return v === undefined ? 'missing' : typeOf(v).name;
}

function needsArray(code: number, message: string, v: Value | undefined): StoreError {
  return new StoreError(code, `${message} not ${nameOf(v)}`);
}

/** `$map`, `$filter` and `$reduce` bind a variable for the inner expression. */
function compileInner(argument: Value, scope: Scope, field: string, ...names: string[]): Expr {
  const inner = isDoc(argument) ? argument[field] : undefined;
  return scope.compile(inner ?? null, { ...scope, names: new Set([...scope.names, ...names]) });
}

function variableName(argument: Value, name: string): string {
  const as = isDoc(argument) ? argument.as : undefined;
  if (as === undefined) return 'this';
  if (typeof as === 'string' && /^[a-z][a-zA-Z0-9_]*$/.test(as)) return as;
  throw new StoreError(
    CODE.FailedToParse,
    `'${String(as)}' starts with an invalid character for a user variable name in ${name}`,
  );
}

function checkNames(argument: Value, name: string, required: string[], optional: string[] = []): void {
  if (!isDoc(argument)) throw new StoreError(16878, `${name} only supports an object as its argument`);
  for (const key of Object.keys(argument)) {
    if (![...required, ...optional].includes(key))
      throw new StoreError(16879, `Unrecognized parameter to ${name}: ${key}`);
  }
  for (const key of required) {
    if (argument[key] === undefined) throw new StoreError(16880, `Missing '${key}' parameter to ${name}`);
  }
}

const map: CompileOperator = (argument, scope, name) => {
  checkNames(argument, name, ['input', 'in'], ['as']);
  const as = variableName(argument, name);
  const input = compileInner(argument, scope, 'input');
  const inner = compileInner(argument, scope, 'in', as);
  return env => {
    const list = input(env);
    if (isNullish(list)) return null;
    if (!Array.isArray(list)) throw needsArray(16883, 'input to $map must be an array', list);
    return list.map(v => inner({ root: env.root, vars: { ...env.vars, [as]: v } }) ?? null);
  };
};

const filter: CompileOperator = (argument, scope, name) => {
  checkNames(argument, name, ['input', 'cond'], ['as', 'limit']);
  const as = variableName(argument, name);
  const input = compileInner(argument, scope, 'input');
  const cond = compileInner(argument, scope, 'cond', as);
  const limit = isDoc(argument) && argument.limit !== undefined ? compileInner(argument, scope, 'limit') : undefined;
  return env => {
    const list = input(env);
    if (isNullish(list)) return null;
    if (!Array.isArray(list)) throw needsArray(28651, 'input to $filter must be an array', list);
    const kept = list.filter(v => isTrue(cond({ root: env.root, vars: { ...env.vars, [as]: v } })));
    const n = asInteger(limit?.(env));
    if (n !== undefined && n < 1) throw new StoreError(327392, `$filter: limit must be greater than 0: ${n}`);
    return n === undefined ? kept : kept.slice(0, n);
  };
};

const reduce: CompileOperator = (argument, scope, name) => {
  checkNames(argument, name, ['input', 'initialValue', 'in']);
  const input = compileInner(argument, scope, 'input');
  const initial = compileInner(argument, scope, 'initialValue');
  const inner = compileInner(argument, scope, 'in', 'this', 'value');
  return env => {
    const list = input(env);
    if (isNullish(list)) return null;
    if (!Array.isArray(list)) throw needsArray(40080, `$reduce requires that 'input' be an array, found:`, list);
    let value = initial(env);
    for (const element of list) value = inner({ root: env.root, vars: { ...env.vars, this: element, value } });
    return value ?? null;
  };
};

const elementAt: CompileOperator = (argument, scope, name) => {
  const [array, position] = argumentsOf(argument, scope, name, 2);
  return env => {
    const [list, at] = [array!(env), position!(env)];
    if (isNullish(list) || isNullish(at)) return null;
    if (!Array.isArray(list)) {
      throw new StoreError(28689, `$arrayElemAt's first argument must be an array, but is ${nameOf(list)}`);
    }
    const i = asInteger(at);
    if (i === undefined) {
      throw new StoreError(28690, `$arrayElemAt's second argument must be a numeric value, but is ${nameOf(at)}`);
    }
    return list.at(i);
  };
};

function end(pick: (list: Value[]) => Value | undefined): CompileOperator {
  return (argument, scope, name) => {
    const [array] = argumentsOf(
      Array.isArray(argument) && argument.length !== 1 ? [argument] : argument,
      scope,
      name,
      1,
    );
    return env => {
      const list = array!(env);
      if (isNullish(list)) return null;
      if (!Array.isArray(list))
        throw new StoreError(28689, `${name}'s argument must be an array, but is ${nameOf(list)}`);
      return pick(list);
    };
  };
}

const size: CompileOperator = (argument, scope, name) => {
  const [array] = argumentsOf(argument, scope, name, 1);
  return env => {
    const list = array!(env);
    if (Array.isArray(list)) return list.length;
    throw new StoreError(17124, `The argument to $size must be an array, but was of type: ${nameOf(list)}`);
  };
};

const slice: CompileOperator = (argument, scope, name) => {
  const [array, first, second] = argumentsOf(argument, scope, name, 2, 3);
  return env => {
    const list = array!(env);
    if (isNullish(list)) return null;
    if (!Array.isArray(list)) {
      throw new StoreError(28724, `First argument to $slice must be an array, but is of type: ${nameOf(list)}`);
    }
    const [a, b] = [first!(env), second?.(env)];
    if (isNullish(a) || (second && isNullish(b))) return null;
    const n = asInteger(a);
    if (n === undefined)
      throw new StoreError(28725, `Second argument to $slice must be a numeric value, but is of type: ${nameOf(a)}`);
    if (!second) return n < 0 ? list.slice(n) : list.slice(0, n);
    const count = asInteger(b);
    if (count === undefined || count <= 0) {
      throw new StoreError(28729, `Third argument to $slice must be positive: ${String(b)}`);
    }
    const from = n < 0 ? Math.max(0, list.length + n) : n;
    return list.slice(from, from + count);
  };
};

const concatArrays: CompileOperator = (argument, scope, name) => {
  const parts = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
  return env => {
    const all: Value[] = [];
    for (const part of parts) {
      const v = part(env);
      if (isNullish(v)) return null;
      if (!Array.isArray(v)) throw needsArray(28664, '$concatArrays only supports arrays,', v);
      all.push(...v);
    }
    return all;
  };
};

const isIn: CompileOperator = (argument, scope, name) => {
  const [value, array] = argumentsOf(argument, scope, name, 2);
  return env => {
    const [v, list] = [value!(env), array!(env)];
    if (!Array.isArray(list)) {
      throw new StoreError(40081, `$in requires an array as a second argument, found: ${nameOf(list)}`);
    }
    return v !== undefined && list.some(x => equalValues(x, v));
  };
};

const indexOfArray: CompileOperator = (argument, scope, name) => {
  const [array, value, from, to] = argumentsOf(argument, scope, name, 2, 4);
  return env => {
    const list = array!(env);
    if (isNullish(list)) return null;
    if (!Array.isArray(list)) {
      throw new StoreError(40090, `$indexOfArray requires an array as a first argument, found: ${nameOf(list)}`);
    }
    const v = value!(env);
    const start = asInteger(from?.(env)) ?? 0;
    const stop = Math.min(asInteger(to?.(env)) ?? list.length, list.length);
    for (let i = start; i < stop; i++) if (v !== undefined && equalValues(list[i]!, v)) return i;
    return -1;
  };
};

const range: CompileOperator = (argument, scope, name) => {
  const parts = argumentsOf(argument, scope, name, 2, 3);
  return env => {
    const [start, stop, step = 1] = parts.map(p => asInteger(p(env)));
    if (start === undefined || stop === undefined)
      throw new StoreError(34443, '$range requires numeric start and end values');
    if (step === 0) throw new StoreError(34449, '$range requires a non-zero step value');
    if ((stop - start) / step > 1e6)
      throw new StoreError(CODE.BadValue, '$range would make more than a million numbers');
    const all: Value[] = [];
    for (let i = start; step > 0 ? i < stop : i > stop; i += step) all.push(i);
    return all;
  };
};

const reverseArray: CompileOperator = (argument, scope, name) => {
  const [array] = argumentsOf(Array.isArray(argument) && argument.length !== 1 ? [argument] : argument, scope, name, 1);
  return env => {
    const list = array!(env);
    if (isNullish(list)) return null;
    if (!Array.isArray(list)) throw needsArray(34435, 'The argument to $reverseArray must be an array', list);
    return list.toReversed();
  };
};

const sortArray: CompileOperator = (argument, scope, name) => {
  const { input } = namedArguments(argument, scope, name, ['input', 'sortBy']);
  const by = (argument as { sortBy: Value }).sortBy;
  const order = isNumeric(by) ? asInteger(by) : undefined;
  if (order !== 1 && order !== -1 && !isDoc(by))
    throw new StoreError(2942505, `The $sort element value must be either 1 or -1`);
  const keys = isDoc(by) ? Object.entries(by) : [];
  const field = (v: Value, path: string) =>
    path.split('.').reduce<Value>((at, part) => (isDoc(at) ? (at[part] ?? null) : null), v);
  return env => {
    const list = input!(env);
    if (isNullish(list)) return null;
    if (!Array.isArray(list)) throw needsArray(2942504, 'The input argument to $sortArray must be an array', list);
    return list.toSorted((a, b) => {
      if (order !== undefined) return order * compareValues(a, b);
      for (const [path, direction] of keys) {
        const c = Number(direction) * compareValues(field(a, path), field(b, path));
        if (c !== 0) return c;
      }
      return 0;
    });
  };
};

/** Operators on arrays. */
export const ARRAYS: Record<string, CompileOperator> = {
  $map: map,
  $filter: filter,
  $reduce: reduce,
  $arrayElemAt: elementAt,
  $first: end(list => list[0]),
  $last: end(list => list.at(-1)),
  $size: size,
  $slice: slice,
  $concatArrays: concatArrays,
  $in: isIn,
  $indexOfArray: indexOfArray,
  $isArray: (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => Array.isArray(e!(env));
  },
  $range: range,
  $reverseArray: reverseArray,
  $sortArray: sortArray,
};
