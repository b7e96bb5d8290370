import { StoreError } from '../errors.ts';
import { toNumber } from '../values/numbers.ts';
import { type Doc, fieldOf, isDoc, isNumeric, type Value } from '../values/value.ts';

/** What an expression is evaluated in. */
export interface Env {
  root: Doc;
  vars: Readonly<Record<string, Value | undefined>>;
}

/** A compiled expression; `undefined` is a missing value. */
export type Expr = (env: Env) => Value | undefined;

/** What is known when an expression is compiled: `$$NOW`, and the names of the variables there will be. */
export interface Scope {
  now: Date;
  names: ReadonlySet<string>;
  compile(expression: Value, scope: Scope): Expr;
}

/** Compiles one operator's argument. */
export type CompileOperator = (argument: Value, scope: Scope, name: string) => Expr;

/** What counts as true: everything but false, null, missing and zero. */
export function isTrue(v: Value | undefined): boolean {
  if (v === undefined || v === null || v === false) return false;
  return !isNumeric(v) || toNumber(v) !== 0;
}

/** Whether a value is null or missing, which most operators answer with null. */
export function isNullish(v: Value | undefined): v is null | undefined {
  return v === null || v === undefined;
}

/** The value of a path; through an array it is the array of what its documents have there. */
export function pathValue(from: Value | undefined, parts: readonly string[], at: number): Value | undefined {
  let value = from;
  for (let i = at; i < parts.length; i++) {
    if (Array.isArray(value)) {
      const found: Value[] = [];
      for (const element of value) {
        const v = isDoc(element) ? pathValue(element, parts, i) : undefined;
        if (v !== undefined) found.push(v);
      }
      return found;
    }
    if (!isDoc(value)) return undefined;
    value = fieldOf(value, parts[i]!);
  }
  return value;
}

/** The arguments of an operator that takes from `least` to `most`; a single one need not be in an array. */
export function argumentsOf(argument: Value, scope: Scope, name: string, least: number, most = least): Expr[] {
  const given = Array.isArray(argument) ? argument : [argument];
  if (given.length < least || given.length > most) {
    if (least === most) {
      throw new StoreError(
        16020,
        `Expression ${name} takes exactly ${least} arguments. ${given.length} were passed in.`,
      );
    }
    throw new StoreError(
      28667,
      `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${given.length} were passed in.`,
    );
  }
  return given.map(e => scope.compile(e, scope));
}

/** The named arguments of an operator. Throws for unknown and missing ones. */
export function namedArguments(
  argument: Value,
  scope: Scope,
  name: string,
  required: readonly string[],
  optional: readonly string[] = [],
): Record<string, Expr> {
  if (!isDoc(argument)) throw new StoreError(9, `${name} only supports an object as its argument`);
  for (const key of Object.keys(argument)) {
    if (!required.includes(key) && !optional.includes(key)) {
      throw new StoreError(9, `Unrecognized parameter to ${name}: ${key}`);
    }
  }
  for (const key of required) {
    if (argument[key] === undefined) throw new StoreError(9, `Missing '${key}' parameter to ${name}`);
  }
  return Object.fromEntries(Object.entries(argument).map(([key, e]) => [key, scope.compile(e, scope)]));
}
