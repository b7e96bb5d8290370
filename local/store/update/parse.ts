import { badValue, CODE, failedToParse, StoreError } from '../errors.ts';
import type { CompileExpr } from '../query/filter.ts';
import { isIndex } from '../values/path.ts';
import { show } from '../values/show.ts';
import { type Doc, isDoc, typeOf, type Value } from '../values/value.ts';
import { identifierOf } from './arrayFilters.ts';
import { arrayOperators } from './arrayOperators.ts';
import { FIELD_OPERATORS } from './fieldOperators.ts';
import type { Leaf, MakeLeaf, Update } from './leaf.ts';

/** What parsing needs from the outside: the compilers of `$expr` and of update pipelines. */
export interface Compilers {
  expr: CompileExpr;
  pipeline(stages: Value[]): (doc: Doc) => Doc;
}

/** Parses the `u` of an update. Throws the server's error for unknown operators, bad arguments and conflicting paths. */
export function parseUpdate(u: Value | undefined, compilers: Compilers): Update {
  if (Array.isArray(u)) return { kind: 'pipeline', apply: compilers.pipeline(u) };
  if (!isDoc(u)) throw failedToParse('Update argument must be either an object or an array');
  if (!Object.keys(u)[0]?.startsWith('$')) return { kind: 'replace', doc: checkReplacement(u) };
  const makers: Record<string, MakeLeaf> = { ...FIELD_OPERATORS, ...arrayOperators(compilers.expr) };
  const leaves: Leaf[] = [];
  const taken: (readonly string[])[] = [];
  for (const [name, fields] of Object.entries(u)) {
    if (name !== '$rename' && !Object.hasOwn(makers, name)) {
      throw failedToParse(
        `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    }
    if (!isDoc(fields)) {
      throw failedToParse(
        `Modifiers operate on fields but we found type ${typeOf(fields).name} instead. For example: {$mod: {<field>: ...}} not {${name}: ${show(fields)}}`,
      );
    }
    for (const [path, argument] of Object.entries(fields)) {
      const parts = checkPath(path);
      takePath(parts, taken);
      if (name !== '$rename') leaves.push(leaf(path, parts, argument, makers[name]!));
      else {
        const renamed = renaming(path, parts, argument);
        takePath(renamed.target!.parts, taken);
        leaves.push(renamed);
      }
    }
  }
  // The server applies an update in the order of the paths, which is the order in which it appends new fields.
  return {
    kind: 'operators',
    leaves: leaves.sort((a, b) => comparePaths((a.target ?? a).parts, (b.target ?? b).parts)),
  };
}

function checkReplacement(doc: Doc): Doc {
  for (const name of Object.keys(doc)) if (name.startsWith('$')) throw dollarField(name);
  return doc;
}

function dollarField(name: string): StoreError {
  return new StoreError(
    CODE.DollarPrefixedFieldName,
    `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
  );
}

function leaf(path: string, parts: readonly string[], argument: Value, make: MakeLeaf): Leaf {
  const made = make(path, argument);
  if (!parts.some(p => p.startsWith('$'))) return { ...made, path, parts };
  // One argument may land in several elements, which must not share it when another operator changes one of them.
  return { ...made, path, parts, apply: (old, context) => copy(made.apply(old, context)) };
}

function copy(v: Value | undefined): Value | undefined {
  if (Array.isArray(v)) return v.map(x => copy(x)!);
  if (!isDoc(v)) return v;
  return Object.fromEntries(Object.entries(v).map(([name, x]) => [name, copy(x)!]));
}

function checkPath(path: string): string[] {
  if (path === '') throw new StoreError(CODE.EmptyFieldName, 'An empty update path is not valid.');
  const parts = path.split('.');
  if (parts.includes('')) {
    throw new StoreError(
      CODE.EmptyFieldName,
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  }
  if (parts.includes('__proto__')) throw badValue(`the field name '__proto__' is not supported in updates`);
  if (parts[0]!.startsWith('$')) {
    if (/^\$(\[.*\])?$/.test(parts[0]!)) {
      throw badValue(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`);
    }
    throw dollarField(path);
  }
  return parts;
}

function renaming(path: string, parts: readonly string[], to: Value): Leaf {
  if (typeof to !== 'string') throw badValue(`The 'to' field for $rename must be a string: ${path}: ${show(to)}`);
  if (to === path) {
    throw badValue(`The source and target field for $rename must differ: ${path}: "${to}"`);
  }
  const target = { path: to, parts: checkPath(to) };
  for (const [which, p] of [
    ['source', parts],
    ['destination', target.parts],
  ] as const) {
    const positional = p.find(x => x.startsWith('$'));
    if (positional !== undefined) {
      throw badValue(`The ${which} field for $rename may not be dynamic: ${p.join('.')}`);
    }
  }
  if (overlap(parts, target.parts)) {
    throw badValue(`The source and target field for $rename must not be on the same path: ${path}: "${to}"`);
  }
  return { path, parts, target, creates: true, apply: old => old };
}

function overlap(a: readonly string[], b: readonly string[]): boolean {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Two operators may not touch the same path, nor one a part of what the other does. */
function takePath(path: readonly string[], taken: (readonly string[])[]): void {
  for (const other of taken) {
    const at = conflictAt(other, path);
    if (at === undefined) continue;
    throw new StoreError(
      CODE.ConflictingUpdateOperators,
      `Updating the path '${path.join('.')}' would create a conflict at '${path.slice(0, at).join('.')}'`,
    );
  }
  taken.push(path);
}

/**
 * How many components two conflicting paths share: one is a part of the other, or one goes through all elements
 * (`$[]`) where the other names a field. Undefined when they can be updated together.
 */
function conflictAt(a: readonly string[], b: readonly string[]): number | undefined {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    if (a[i] === b[i]) continue;
    return (identifierOf(a[i]!) === undefined) === (identifierOf(b[i]!) === undefined) ? undefined : i;
  }
  return n;
}

function comparePaths(a: readonly string[], b: readonly string[]): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (x === y) continue;
    if (isIndex(x) && isIndex(y)) return Number(x) - Number(y);
    return Buffer.compare(Buffer.from(x), Buffer.from(y));
  }
  return a.length - b.length;
}
