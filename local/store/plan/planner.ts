import { badValue } from '../errors.ts';
import type { Filter } from '../query/filter.ts';
import type { Collection } from '../storage/collection.ts';
import type { Index, IndexField } from '../storage/indexSpec.ts';
import type { KeyRange } from '../storage/scan.ts';
import { equalValues } from '../values/compare.ts';
import { createKeyWriter } from '../values/key.ts';
import { type Doc, isDoc, type Value } from '../values/value.ts';
import { type Constraint, conjunctsOf, constraintsOf, requiresPath } from './constraints.ts';
import { implies } from './implies.ts';
import { boundIndex, type IndexBounds, keyRanges } from './indexBounds.ts';

/** How documents are found. */
export type Access =
  | { kind: 'collection'; reverse: boolean }
  | { kind: 'index'; index: Index; ranges: KeyRange[]; reverse: boolean; bounds: IndexBounds }
  | { kind: 'or'; branches: Access[] };

export interface Plan {
  access: Access;
  /** Whether every document found matches, so that the filter need not be tested. */
  exact: boolean;
  /** Whether the documents come in the order of the sort asked for. */
  sorted: boolean;
}

/** Weights of a candidate: a single point is worth more than several, those more than a range, more than the order. */
const WORTH = { unique: 1000, point: 100, points: 60, closedRange: 30, openRange: 20, order: 50 };

/**
 * Chooses how to find the documents of a filter: the index with the most selective bounds, or one in the order of the
 * sort, or one index per branch of an `$or`; else the whole collection. Throws BadValue for a hint at no index.
 */
export function plan(
  collection: Collection,
  filter: Filter,
  sort: readonly IndexField[],
  hint: Value | undefined,
): Plan {
  const conjuncts = conjunctsOf(filter);
  const natural = naturalDirection(hint);
  if (natural !== undefined) return scanAll(natural < 0, sort);
  const hinted = hint === undefined ? undefined : hintedIndex(collection, hint);
  const constraints = constraintsOf(conjuncts, createKeyWriter());
  const candidates = (hinted ? [hinted] : collection.indexes).flatMap(index =>
    candidate(index, conjuncts, constraints, sort, hinted !== undefined),
  );
  if (candidates.length > 0) return candidates.reduce((a, b) => (b.worth > a.worth ? b : a));
  return orPlan(collection, conjuncts, sort) ?? scanAll(false, sort);
}

function scanAll(reverse: boolean, sort: readonly IndexField[]): Plan {
  return { access: { kind: 'collection', reverse }, exact: false, sorted: sort.length === 0 };
}

function candidate(
  index: Index,
  conjuncts: readonly Filter[],
  constraints: readonly Constraint[],
  sort: readonly IndexField[],
  hinted: boolean,
): (Plan & { worth: number })[] {
  if (!hinted && !holdsAll(index, conjuncts)) return [];
  const bounds = boundIndex(index, constraints);
  const order = sort.length > 0 ? orderOf(index, bounds, sort) : undefined;
  if (bounds.fields.length === 0 && order === undefined && !hinted) {
    if (!index.sparse && !index.partial) return [];
  }
  const access: Access = {
    kind: 'index',
    index,
    ranges: keyRanges(index, bounds.fields),
    reverse: order === 'reverse',
    bounds,
  };
  const exact = conjuncts.every(c => bounds.settled.has(c)) && (!hinted || holdsAll(index, conjuncts));
  const sorted = sort.length === 0 || order !== undefined;
  return [{ access, exact, sorted, worth: worthOf(index, bounds, order !== undefined) }];
}

/** Whether the index has an entry for every document that can match. */
function holdsAll(index: Index, conjuncts: readonly Filter[]): boolean {
  if (index.partial && !implies(conjuncts, index.partial.filter)) return false;
  return !index.sparse || index.fields.some(f => conjuncts.some(c => requiresPath(c, f.path)));
}

function worthOf(index: Index, { fields }: IndexBounds, ordered: boolean): number {
  let worth = ordered ? WORTH.order : 0;
  for (const intervals of fields) {
    if (intervals.length <= 1 && intervals.every(x => x.point)) worth += WORTH.point;
    else if (intervals.every(x => x.point)) worth += WORTH.points;
    else worth += intervals.every(x => x.low.length > 1 && x.high.length > 1) ? WORTH.closedRange : WORTH.openRange;
  }
  // A unique index finds at most as many documents as it is asked for values.
  const pinned = fields.length === index.fields.length && fields.every(f => f.every(x => x.point));
  if (!index.unique || !pinned) return worth;
  return worth + Math.max(0, WORTH.unique - fields.reduce((n, f) => n * f.length, 1));
}

/** Whether a scan of the bounds comes in the order of the sort, and from which end. */
function orderOf(
  index: Index,
  { fields }: IndexBounds,
  sort: readonly IndexField[],
): 'forward' | 'reverse' | undefined {
  let reverse: boolean | undefined;
  let at = 0;
  for (let i = 0; i < index.fields.length && at < sort.length; i++) {
    const field = index.fields[i]!;
    const pinned = fields[i]?.length === 1 && fields[i]![0]!.point;
    while (at < sort.length && isFixed(index, fields, sort[at]!.path)) at++;
    if (at === sort.length) break;
    if (sort[at]!.path !== field.path) {
      if (pinned) continue;
      return undefined;
    }
    // A document sorts by its least (or greatest) element: that is where a full scan meets it first.
    if (field.arraysAt.size > 0 && fields.length > 0) return undefined;
    const against = sort[at]!.descending !== field.descending;
    if (reverse !== undefined && reverse !== against) return undefined;
    reverse = against;
    at++;
  }
  while (at < sort.length && isFixed(index, fields, sort[at]!.path)) at++;
  if (at < sort.length) return undefined;
  return reverse ? 'reverse' : 'forward';
}

/** Whether all documents in the bounds have the same value in a field. */
function isFixed(index: Index, fields: IndexBounds['fields'], path: string): boolean {
  const i = index.fields.findIndex(f => f.path === path);
  return i >= 0 && fields[i]?.length === 1 && fields[i]![0]!.point && index.fields[i]!.arraysAt.size === 0;
}

function orPlan(collection: Collection, conjuncts: readonly Filter[], sort: readonly IndexField[]): Plan | undefined {
  for (const filter of conjuncts) {
    if (filter.kind !== 'or' || filter.of.length === 0) continue;
    const others = conjuncts.filter(c => c !== filter);
    const branches = filter.of.map(of => plan(collection, { kind: 'and', of: [of, ...others] }, [], undefined).access);
    if (branches.every(b => b.kind !== 'collection')) {
      return { access: { kind: 'or', branches }, exact: false, sorted: sort.length === 0 };
    }
  }
  return undefined;
}

function naturalDirection(hint: Value | undefined): number | undefined {
  return isDoc(hint) && '$natural' in hint ? Number(hint.$natural) : undefined;
}

function hintedIndex(collection: Collection, hint: Value): Index {
  const index = collection.indexes.find(x =>
    typeof hint === 'string' ? x.name === hint : isDoc(hint) && equalValues(x.spec.key as Doc, hint),
  );
  if (index) return index;
  throw badValue(
    'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index',
  );
}
