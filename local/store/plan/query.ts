import { CODE, StoreError } from '../errors.ts';
import { type CompileExpr, type Filter, parseFilter } from '../query/filter.ts';
import { compileFilter, type Matcher } from '../query/match.ts';
import { sortKey, sortRows } from '../query/sort.ts';
import type { Collection } from '../storage/collection.ts';
import type { IndexField } from '../storage/indexSpec.ts';
import { type Row, scanCollection, scanIndex } from '../storage/scan.ts';
import type { Sql } from '../storage/sqlite.ts';
import { createKeyWriter } from '../values/key.ts';
import { readDocument } from '../values/read.ts';
import type { Doc, Value } from '../values/value.ts';
import { type Access, type Plan, plan } from './planner.ts';

/** A query that is parsed and planned. */
export interface Query {
  collection: Collection;
  filter: Filter;
  matches: Matcher;
  plan: Plan;
  sort: readonly IndexField[];
}

/** A document found; `doc` is there when it had to be read to test or sort it. */
export interface FoundRow extends Row {
  doc: Doc | undefined;
}

/** Counters of one execution, for `explain`. */
export interface Counters {
  keys: number;
  docs: number;
}

/** When a command's time is over, on the clock of performance.now; a cursor moves it on between its batches. */
export interface Deadline {
  at: number;
}

/** How an execution may end early: after `limit` documents, or when its time is over. */
export interface Bounds {
  limit?: number | undefined;
  deadline?: Deadline | undefined;
  counters?: Counters | undefined;
}

/** Parses the filter and plans the query. */
export function prepareQuery(
  collection: Collection,
  filter: Doc,
  sort: readonly IndexField[],
  hint: Value | undefined,
  expr: CompileExpr,
): Query {
  const parsed = parseFilter(filter, expr);
  return {
    collection,
    filter: parsed,
    matches: compileFilter(parsed),
    plan: plan(collection, parsed, sort, hint),
    sort,
  };
}

/** The documents of a query in its order, found as they are asked for (all at once when they must be sorted first). */
export function* runQuery(sql: Sql, query: Query, bounds: Bounds): Generator<FoundRow> {
  if (query.plan.sorted) {
    yield* limited(findRows(sql, query, bounds, bounds.limit), bounds.limit);
    return;
  }
  const writer = createKeyWriter();
  const key = (row: FoundRow) => {
    const doc = row.doc ?? readDocument(row.bytes);
    // All rows are held at once; their bytes are enough.
    row.doc = undefined;
    return sortKey(doc, query.sort, writer);
  };
  for (const row of sortRows(findRows(sql, query, bounds, undefined), key, bounds.limit)) {
    yield row;
  }
}

/**
 * The records of a query, all found before any of them is changed, so that none is met again where its change moves it.
 */
export function* recordsToChange(sql: Sql, query: Query, bounds: Bounds): Generator<FoundRow> {
  if (bounds.limit === 1) {
    for (const row of runQuery(sql, query, bounds)) {
      yield row;
      return;
    }
    return;
  }
  const rids = Array.from(runQuery(sql, query, bounds), row => row.rid);
  for (const rid of rids) yield { rid, bytes: query.collection.get(rid)!, doc: undefined };
}

function* limited(rows: Iterable<FoundRow>, limit: number | undefined): Generator<FoundRow> {
  if (limit === 0) return;
  let n = 0;
  for (const row of rows) {
    yield row;
    if (++n === limit) return;
  }
}

const DEADLINE_EVERY = 64;

/** The documents that match, as the plan finds them. `wanted` says how many are likely to be taken. */
function* findRows(sql: Sql, query: Query, bounds: Bounds, wanted: number | undefined): Generator<FoundRow> {
  const { collection, matches, plan: chosen } = query;
  let seen = 0;
  const expected = chosen.exact && wanted !== undefined ? Math.min(wanted, 256) : undefined;
  for (const row of access(sql, collection, chosen.access, expected, bounds.counters)) {
    if (bounds.deadline && ++seen % DEADLINE_EVERY === 0) checkDeadline(bounds.deadline);
    if (chosen.exact) {
      yield { rid: row.rid, bytes: row.bytes, doc: undefined };
      continue;
    }
    const doc = readDocument(row.bytes);
    if (matches(doc)) yield { rid: row.rid, bytes: row.bytes, doc };
  }
}

/** Throws MaxTimeMSExpired once the time given by `maxTimeMS` is over. */
function checkDeadline(deadline: Deadline): void {
  if (performance.now() > deadline.at) throw new StoreError(CODE.MaxTimeMSExpired, 'operation exceeded time limit');
}

function* access(
  sql: Sql,
  collection: Collection,
  how: Access,
  expected: number | undefined,
  counters: Counters | undefined,
): Generator<Row> {
  if (how.kind === 'or') {
    const found = new Set<number>();
    for (const branch of how.branches) {
      for (const row of access(sql, collection, branch, undefined, counters)) {
        if (found.has(row.rid)) continue;
        found.add(row.rid);
        yield row;
      }
    }
    return;
  }
  const rows =
    how.kind === 'collection'
      ? scanCollection(sql, collection, how.reverse, expected)
      : scanIndex(sql, collection, how.index, how.ranges, how.reverse, expected);
  // A document has several entries only in an index that met an array.
  const several = how.kind === 'index' && how.index.fields.some(f => f.arraysAt.size > 0);
  const found = several ? new Set<number>() : undefined;
  for (const row of rows) {
    if (counters && how.kind === 'index') counters.keys++;
    if (found) {
      if (found.has(row.rid)) continue;
      found.add(row.rid);
    }
    if (counters) counters.docs++;
    yield row;
  }
}
