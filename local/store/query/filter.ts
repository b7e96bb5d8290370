import type { BSONRegExp } from 'bson';
import { badValue, notSupported } from '../errors.ts';
import { type Doc, isDoc, type Value } from '../values/value.ts';
import { parseFieldOperators } from './operators.ts';
import { isRegExp, regexTest } from './regex.ts';

/** A predicate on one value a path reaches (see walkPath). */
export type Test =
  | { op: 'eq'; value: Value }
  | RangeTest
  | { op: 'in'; values: Value[]; regexes: RegexTest[] }
  | RegexTest
  | { op: 'type'; numbers: ReadonlySet<number> }
  | { op: 'mod'; divisor: bigint; remainder: bigint }
  | { op: 'bits'; all: boolean; set: boolean; mask: bigint };

export interface RangeTest {
  op: 'gt' | 'gte' | 'lt' | 'lte';
  value: Value;
}

export interface RegexTest {
  op: 'regex';
  source: BSONRegExp;
  compiled: RegExp;
}

/** A parsed filter. The planner reads it; compileFilter turns it into a function. */
export type Filter =
  | { kind: 'and' | 'or' | 'nor'; of: Filter[] }
  | { kind: 'not'; of: Filter }
  | { kind: 'test'; path: string; test: Test }
  | { kind: 'exists'; path: string }
  | { kind: 'size'; path: string; size: number }
  | { kind: 'elemMatch'; path: string; of: Filter }
  | { kind: 'elemMatchValue'; path: string; of: Filter }
  | { kind: 'expr'; test: (doc: Doc) => boolean };

/** How `$expr` is compiled; handed in, so that filters do not depend on the aggregation expressions. */
export type CompileExpr = (expression: Value) => (doc: Doc) => boolean;

const REFUSED = new Set(['$where', '$text', '$jsonSchema', '$sampleRate', '$alwaysTrue', '$alwaysFalse']);

/** Parses a filter document. Throws BadValue as the server words it; operators the store lacks are refused. */
export function parseFilter(filter: Doc, expr: CompileExpr): Filter {
  const of: Filter[] = [];
  for (const [name, value] of Object.entries(filter)) {
    if (name[0] === '$') {
      if (name !== '$comment') of.push(parseTopLevel(name, value, expr));
    } else of.push(...parseField(name, value, expr));
  }
  return of.length === 1 ? of[0]! : { kind: 'and', of };
}

function parseTopLevel(name: string, value: Value, expr: CompileExpr): Filter {
  if (name === '$and' || name === '$or' || name === '$nor') {
    return { kind: name.slice(1) as 'and' | 'or' | 'nor', of: parseList(name, value, expr) };
  }
  if (name === '$expr') return { kind: 'expr', test: expr(value) };
  if (REFUSED.has(name)) throw notSupported(`the query operator ${name}`);
  throw badValue(
    `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
  );
}

function parseList(name: string, value: Value, expr: CompileExpr): Filter[] {
  if (!Array.isArray(value)) throw badValue(`${name} must be an array`);
  if (value.length === 0) throw badValue('$and/$or/$nor must be a nonempty array');
  return value.map(entry => {
    if (!isDoc(entry)) throw badValue('$or/$and/$nor entries need to be full objects');
    return parseFilter(entry, expr);
  });
}

function parseField(path: string, value: Value, expr: CompileExpr): Filter[] {
  if (isRegExp(value)) return [{ kind: 'test', path, test: regexTest(value) }];
  if (isOperators(value)) return parseFieldOperators(path, value, expr);
  return [{ kind: 'test', path, test: { op: 'eq', value } }];
}

/** Whether a value in a filter is a document of operators rather than a value to compare with. */
export function isOperators(value: Value): value is Doc {
  if (!isDoc(value)) return false;
  for (const name in value) return name[0] === '$';
  return false;
}
