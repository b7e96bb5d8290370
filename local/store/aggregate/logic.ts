import { StoreError } from '../errors.ts';
import { compareValues } from '../values/compare.ts';
import { isDoc, type Value } from '../values/value.ts';
import { argumentsOf, type CompileOperator, isNullish, isTrue, namedArguments } from './env.ts';

/** Compares as the server's expressions do: a missing value is below null. */
export function compareOptional(a: Value | undefined, b: Value | undefined): number {
  if (a === undefined) return b === undefined ? 0 : -1;
  return b === undefined ? 1 : compareValues(a, b);
}

function comparison(holds: (c: number) => boolean): CompileOperator {
  return (argument, scope, name) => {
    const [a, b] = argumentsOf(argument, scope, name, 2);
    return env => holds(compareOptional(a!(env), b!(env)));
  };
}

const cond: CompileOperator = (argument, scope, name) => {
  let parts = argument;
  if (isDoc(argument)) {
    for (const key of Object.keys(argument)) {
      if (!['if', 'then', 'else'].includes(key)) throw new StoreError(17083, `Unrecognized parameter to $cond: ${key}`);
    }
    for (const [i, key] of ['if', 'then', 'else'].entries()) {
      if (!(key in argument)) throw new StoreError(17080 + i, `Missing '${key}' parameter to $cond`);
    }
    parts = [argument.if!, argument.then!, argument.else!];
  }
  const [test, yes, no] = argumentsOf(parts, scope, name, 3);
  return env => (isTrue(test!(env)) ? yes!(env) : no!(env));
};

const ifNull: CompileOperator = (argument, scope) => {
  if (!Array.isArray(argument) || argument.length < 2) {
    const n = Array.isArray(argument) ? argument.length : 1;
    throw new StoreError(1257300, `$ifNull needs at least two arguments, had: ${n}`);
  }
  const exprs = argument.map(e => scope.compile(e, scope));
  return env => {
    let v: Value | undefined;
    for (const e of exprs) {
      v = e(env);
      if (!isNullish(v)) return v;
    }
    return v;
  };
};

const switchCase: CompileOperator = (argument, scope) => {
  if (!isDoc(argument)) throw new StoreError(40060, '$switch requires an object as an argument, found: non-object');
  const { branches, default: otherwise, ...unknown } = argument;
  for (const key of Object.keys(unknown)) throw new StoreError(40067, `$switch found an unknown argument: ${key}`);
  if (!Array.isArray(branches) || branches.length === 0) {
    throw new StoreError(40068, '$switch requires at least one branch');
  }
  const cases = branches.map(b => namedArguments(b, scope, '$switch', ['case', 'then']));
  const fallback = otherwise === undefined ? undefined : scope.compile(otherwise, scope);
  return env => {
    const hit = cases.find(c => isTrue(c.case!(env)));
    if (hit) return hit.then!(env);
    if (fallback) return fallback(env);
    throw new StoreError(40066, '$switch could not find a matching branch for an input, and no default was specified.');
  };
};

/** Comparison, boolean and conditional operators, and `$literal`, `$let`. */
export const LOGIC: Record<string, CompileOperator> = {
  $eq: comparison(c => c === 0),
  $ne: comparison(c => c !== 0),
  $gt: comparison(c => c > 0),
  $gte: comparison(c => c >= 0),
  $lt: comparison(c => c < 0),
  $lte: comparison(c => c <= 0),
  $cmp: (argument, scope, name) => {
    const [a, b] = argumentsOf(argument, scope, name, 2);
    return env => Math.sign(compareOptional(a!(env), b!(env)));
  },
  $and: (argument, scope, name) => {
    const all = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
    return env => all.every(e => isTrue(e(env)));
  },
  $or: (argument, scope, name) => {
    const any = argumentsOf(argument, scope, name, 0, Number.POSITIVE_INFINITY);
    return env => any.some(e => isTrue(e(env)));
  },
  $not: (argument, scope, name) => {
    const [e] = argumentsOf(argument, scope, name, 1);
    return env => !isTrue(e!(env));
  },
  $cond: cond,
  $ifNull: ifNull,
  $switch: switchCase,
  $literal: argument => () => argument,
  $let: (argument, scope, name) => {
    if (!isDoc(argument) || !isDoc(argument.vars) || argument.in === undefined) {
      throw new StoreError(16874, `${name} needs an object with 'vars' and 'in'`);
    }
    const vars = Object.entries(argument.vars).map(([key, e]) => [key, scope.compile(e, scope)] as const);
    const inner = scope.compile(argument.in, { ...scope, names: new Set([...scope.names, ...vars.map(v => v[0])]) });
    return env => {
      const bound = Object.fromEntries(vars.map(([key, e]) => [key, e(env)]));
      return inner({ root: env.root, vars: { ...env.vars, ...bound } });
    };
  },
};
