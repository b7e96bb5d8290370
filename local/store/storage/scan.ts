import type { StatementSync } from 'node:sqlite';
import { asBuffer, type Collection } from './collection.ts';
import type { Index } from './indexSpec.ts';
import type { Sql } from './sqlite.ts';

/** A stored document. Its bytes are not shared and stay valid. */
export interface Row {
  rid: number;
  bytes: Buffer;
}

/** Keys from `low` (inclusive) to `high` (exclusive). */
export interface KeyRange {
  low: Buffer;
  high: Buffer;
  /** Whether they are the entries of one whole key, `low`, which are found faster than a range. */
  point: boolean;
}

/** Above every key: the types of values are bytes below it, inverted or not. */
export const KEY_END = Buffer.of(0xff);

/**
 * Rows are fetched in chunks, since a scan may be given up at any row; larger ones as it goes on, but of about this many
 * bytes. The sizes are written into the statements: SQLite compiles one anew whenever a bound LIMIT changes.
 */
const CHUNK_BYTES = 1 << 20;
const CHUNK_ROWS = [2, 4, 8, 16, 32, 64, 128, 256];
const FIRST_CHUNK = 16;

/** The first chunk when `expected` documents are likely to be taken. */
function firstChunk(expected: number | undefined): number {
  return expected === undefined ? FIRST_CHUNK : (CHUNK_ROWS.find(n => n >= expected) ?? CHUNK_ROWS.at(-1)!);
}

function nextChunk(chunk: number, averageBytes: number): number {
  const most = Math.min(chunk * 4, CHUNK_BYTES / Math.max(1, averageBytes));
  return CHUNK_ROWS.findLast(n => n <= most) ?? CHUNK_ROWS[0]!;
}

/**
 * A scan fetches chunk by chunk and goes on from its last position, so it may be left and resumed while documents
 * change: as with the server's cursors, a document changed meanwhile may be seen in either state.
 */
export function* scanCollection(sql: Sql, collection: Collection, reverse: boolean, expected?: number): Generator<Row> {
  const [compare, order] = reverse ? ['<', 'DESC'] : ['>', 'ASC'];
  const select = `SELECT rid, doc FROM docs_${collection.id} WHERE rid ${compare} ? ORDER BY rid ${order} LIMIT`;
  let last = reverse ? Number.MAX_SAFE_INTEGER : 0;
  let chunk = firstChunk(expected);
  for (;;) {
    const rows = sql.prepare(`${select} ${chunk}`).all(last) as unknown as [number, Uint8Array][];
    let bytes = 0;
    for (const [rid, doc] of rows) {
      bytes += doc.length;
      last = rid;
      yield { rid, bytes: asBuffer(doc) };
    }
    if (rows.length < chunk) return;
    chunk = nextChunk(chunk, bytes / rows.length);
  }
}

type IndexRow = [key: Uint8Array, rid: number, doc: Uint8Array];

/** The documents whose keys lie in the ranges, in key order of each range; one with several keys comes several times. */
export function* scanIndex(
  sql: Sql,
  collection: Collection,
  index: Index,
  ranges: readonly KeyRange[],
  reverse: boolean,
  expected?: number,
): Generator<Row> {
  let chunk = index.unique && ranges.every(r => r.point) ? CHUNK_ROWS[0]! : firstChunk(expected);
  const statements = statementsOf(sql, collection, index, reverse);
  for (const { low, high, point } of reverse ? ranges.toReversed() : ranges) {
    let rows: IndexRow[] = rowsOf(point ? statements.point(chunk).all(low) : statements.first(chunk).all(low, high));
    for (;;) {
      let bytes = 0;
      for (const [, rid, doc] of rows) {
        bytes += doc.length;
        yield { rid, bytes: asBuffer(doc) };
      }
      if (rows.length < chunk) break;
      chunk = nextChunk(chunk, bytes / rows.length);
      const [key, rid] = rows.at(-1)!;
      rows = rowsOf(statements.next(chunk).all(key, rid, reverse ? low : high));
    }
  }
}

function rowsOf(rows: unknown): IndexRow[] {
  return rows as IndexRow[];
}

/** The statements for the first rows of a point or range, and for those after a row. */
function statementsOf(sql: Sql, collection: Collection, index: Index, reverse: boolean) {
  const order = reverse ? 'DESC' : 'ASC';
  const from = `SELECT i.key, i.rid, d.doc FROM index_${index.id} i CROSS JOIN docs_${collection.id} d ON d.rid = i.rid WHERE`;
  const end = `ORDER BY i.key ${order}, i.rid ${order} LIMIT`;
  const rest = reverse ? '(i.key, i.rid) < (?, ?) AND i.key >= ?' : '(i.key, i.rid) > (?, ?) AND i.key < ?';
  const statement =
    (where: string) =>
    (chunk: number): StatementSync =>
      sql.prepare(`${from} ${where} ${end} ${chunk}`);
  return {
    point: statement('i.key = ?'),
    first: statement('i.key >= ? AND i.key < ?'),
    next: statement(rest),
  };
}

/** How many keys lie in the ranges. */
export function countKeys(sql: Sql, index: Index, ranges: readonly KeyRange[]): number {
  const count = sql.prepare(`SELECT count(*) FROM index_${index.id} WHERE key >= ? AND key < ?`);
  return ranges.reduce((n, { low, high }) => n + (count.get(low, high) as unknown as [number])[0], 0);
}
