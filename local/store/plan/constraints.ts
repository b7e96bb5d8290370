import type { Filter } from '../query/filter.ts';
import type { KeyWriter } from '../values/key.ts';
import { type Bounds, boundsOf } from './interval.ts';

/** What a conjunct of a filter says about one path. */
export interface Constraint {
  path: string;
  bounds: Bounds;
  /**
   * Tests of the same element of an array (`$elemMatch`) share a group: their bounds may be combined even where the
   * index holds several entries of a document.
   */
  group: Filter | undefined;
  /** The conjunct this comes from; it needs no further test when its bounds are exact and used. */
  source: Filter;
}

/** The conjuncts of a filter: nested `$and`s laid flat. */
export function conjunctsOf(filter: Filter): Filter[] {
  return filter.kind === 'and' ? filter.of.flatMap(conjunctsOf) : [filter];
}

/** The constraints of the conjuncts that can narrow an index. */
export function constraintsOf(conjuncts: readonly Filter[], writer: KeyWriter): Constraint[] {
  return conjuncts.flatMap(f => constraintsOfOne(f, '', undefined, f, writer));
}

function constraintsOfOne(
  filter: Filter,
  prefix: string,
  group: Filter | undefined,
  source: Filter,
  writer: KeyWriter,
): Constraint[] {
  if (filter.kind === 'test') {
    const bounds = boundsOf(filter.test, writer);
    if (!bounds) return [];
    const path = prefix === '' ? filter.path : filter.path === '' ? prefix.slice(0, -1) : `${prefix}${filter.path}`;
    const exact = bounds.exact && group === undefined && !/(^|\.)\d/.test(path);
    return [{ path, bounds: { ...bounds, exact }, group, source }];
  }
  if (group && filter.kind === 'and') return filter.of.flatMap(f => constraintsOfOne(f, prefix, group, source, writer));
  if (filter.kind === 'elemMatch' || filter.kind === 'elemMatchValue') {
    return constraintsOfOne(filter.of, `${prefix}${filter.path}.`, group ?? filter, source, writer);
  }
  return [];
}

/** Whether a document without the path (a null is one with it) can never match the conjunct: then a sparse index has all. */
export function requiresPath(filter: Filter, path: string): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.of.some(f => requiresPath(f, path));
    case 'exists':
    case 'size':
      return filter.path === path;
    case 'elemMatch':
    case 'elemMatchValue':
      return path === filter.path || path.startsWith(`${filter.path}.`) ? elementRequires(filter, path) : false;
    case 'test':
      return filter.path === path && !acceptsMissing(filter);
    case 'not':
      // `$ne: null`; not for dotted paths, where an empty array on the way matches without having the field.
      return filter.of.kind === 'test' && filter.of.path === path && !path.includes('.') && isNullTest(filter.of);
    default:
      return false;
  }
}

function elementRequires(filter: Extract<Filter, { kind: 'elemMatch' | 'elemMatchValue' }>, path: string): boolean {
  if (path === filter.path) return true;
  return filter.kind === 'elemMatch' && requiresPath(filter.of, path.slice(filter.path.length + 1));
}

function acceptsMissing({ test }: Extract<Filter, { kind: 'test' }>): boolean {
  switch (test.op) {
    case 'eq':
    case 'gte':
    case 'lte':
      return test.value === null;
    case 'in':
      return test.values.includes(null);
    default:
      return false;
  }
}

function isNullTest({ test }: Extract<Filter, { kind: 'test' }>): boolean {
  return test.op === 'eq' && test.value === null;
}
