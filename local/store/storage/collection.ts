import type { StatementSync } from 'node:sqlite';
import { CODE, StoreError } from '../errors.ts';
import { createKeyWriter, type KeyWriter } from '../values/key.ts';
import { readDocument } from '../values/read.ts';
import { show } from '../values/show.ts';
import type { Doc, Value } from '../values/value.ts';
import { EMPTY_ARRAY, entriesOf, indexKeys, keyOf } from './indexKeys.ts';
import type { Index } from './indexSpec.ts';
import type { Sql } from './sqlite.ts';

/** The keys of a document, per index of its collection in their order. */
export type DocumentKeys = Buffer[][];

/**
 * One collection: table `docs_<id>` (record id, BSON) and one table `index_<id>` (key, record id) per index. Every
 * write checks all unique indexes before it changes anything, so a refused document leaves no trace without a savepoint.
 */
export interface Collection {
  readonly id: number;
  readonly db: string;
  readonly name: string;
  /** `db.name` */
  readonly ns: string;
  readonly uuid: Buffer;
  /** `_id_` first. */
  readonly indexes: Index[];
  count(): number;
  /** BSON of the record; undefined when it is gone. */
  get(rid: number): Buffer | undefined;
  /** The record with this key in a unique index. */
  find(index: Index, key: Buffer): number | undefined;
  /** Throws DuplicateKey. */
  insert(bytes: Buffer, doc: Doc): void;
  keysOf(doc: Doc): DocumentKeys;
  /** Puts `doc` in the place of a record with `before` as its keys. Throws DuplicateKey. */
  replace(rid: number, before: DocumentKeys, bytes: Buffer, doc: Doc): void;
  remove(rid: number, keys: DocumentKeys): void;
  /** Fills a new index from the documents there are. Throws DuplicateKey. */
  build(index: Index): void;
}

/** Stands for a collection that does not exist, when a statement only has to be checked. */
export const NONE = { indexes: [] as unknown } as Collection;

export interface CollectionMeta {
  id: number;
  db: string;
  name: string;
  uuid: Buffer;
  indexes: Index[];
}

/** The collection over its tables. `saveArrays` writes down that an index met an array for the first time. */
export function openCollection(sql: Sql, meta: CollectionMeta, saveArrays: (index: Index) => void): Collection {
  const docs = `docs_${meta.id}`;
  const ns = `${meta.db}.${meta.name}`;
  const writer = createKeyWriter();
  let count: number | undefined;
  let nextRid: number | undefined;

  const select = lazy(() => sql.prepare(`SELECT doc FROM ${docs} WHERE rid = ?`));
  const insertDoc = lazy(() => sql.prepare(`INSERT INTO ${docs} (rid, doc) VALUES (?, ?)`));
  const updateDoc = lazy(() => sql.prepare(`UPDATE ${docs} SET doc = ? WHERE rid = ?`));
  const deleteDoc = lazy(() => sql.prepare(`DELETE FROM ${docs} WHERE rid = ?`));
  const perIndex = new WeakMap<Index, IndexStatements>();
  const statementsOf = (index: Index) => {
    const known = perIndex.get(index) ?? prepareIndex(sql, index);
    perIndex.set(index, known);
    return known;
  };

  function newRid(): number {
    nextRid ??= Number((sql.prepare(`SELECT max(rid) FROM ${docs}`).get() as unknown as unknown[])[0] ?? 0) + 1;
    return nextRid++;
  }

  function keys(index: Index, doc: Doc): Buffer[] {
    let met = false;
    const found = indexKeys(doc, index, writer, (field, depth) => {
      const at = index.fields[field]!.arraysAt;
      if (!at.has(depth)) {
        at.add(depth);
        met = true;
      }
    });
    if (met) {
      sql.begin();
      saveArrays(index);
    }
    return found;
  }

  function findKey(index: Index, key: Buffer): number | undefined {
    const row = statementsOf(index).find.get(key) as unknown as [number] | undefined;
    return row?.[0];
  }

  function checkUnique(index: Index, added: readonly Buffer[], doc: Doc, own: number | undefined): void {
    if (!index.unique) return;
    for (const key of added) {
      const other = findKey(index, key);
      if (other !== undefined && other !== own) throw duplicateKey(ns, index, doc, key, writer);
    }
  }

  function checkAll(added: readonly (readonly Buffer[])[], doc: Doc, own: number | undefined): void {
    for (let i = 0; i < meta.indexes.length; i++) checkUnique(meta.indexes[i]!, added[i]!, doc, own);
  }

  const keysOf = (doc: Doc) => meta.indexes.map(index => keys(index, doc));

  return {
    ...meta,
    ns,
    count() {
      count ??= Number((sql.prepare(`SELECT count(*) FROM ${docs}`).get() as unknown as unknown[])[0]);
      return count;
    },
    get(rid) {
      const row = select().get(rid) as unknown as [Uint8Array] | undefined;
      return row && asBuffer(row[0]);
    },
    find: findKey,
    insert(bytes, doc) {
      const all = keysOf(doc);
      checkAll(all, doc, undefined);
      sql.begin();
      const rid = newRid();
      insertDoc().run(rid, bytes);
      meta.indexes.forEach((index, i) => {
        for (const key of all[i]!) statementsOf(index).insert.run(key, rid);
      });
      if (count !== undefined) count++;
    },
    keysOf,
    replace(rid, before, bytes, doc) {
      const after = keysOf(doc);
      const added = after.map((now, i) => without(now, before[i]!));
      checkAll(added, doc, rid);
      sql.begin();
      updateDoc().run(bytes, rid);
      meta.indexes.forEach((index, i) => {
        for (const key of without(before[i]!, after[i]!)) statementsOf(index).remove.run(key, rid);
        for (const key of added[i]!) statementsOf(index).insert.run(key, rid);
      });
    },
    remove(rid, all) {
      sql.begin();
      deleteDoc().run(rid);
      meta.indexes.forEach((index, i) => {
        for (const key of all[i]!) statementsOf(index).remove.run(key, rid);
      });
      if (count !== undefined) count--;
    },
    build(index) {
      sql.begin();
      const { insert } = statementsOf(index);
      for (const row of sql.prepare(`SELECT rid, doc FROM ${docs} ORDER BY rid`).iterate()) {
        const [rid, bytes] = row as unknown as [number, Uint8Array];
        const doc = readDocument(asBuffer(bytes));
        const found = keys(index, doc);
        checkUnique(index, found, doc, rid);
        for (const key of found) insert.run(key, rid);
      }
    },
  };
}

interface IndexStatements {
  find: StatementSync;
  insert: StatementSync;
  remove: StatementSync;
}

function prepareIndex(sql: Sql, index: Index): IndexStatements {
  const table = `index_${index.id}`;
  return {
    find: sql.prepare(`SELECT rid FROM ${table} WHERE key = ? LIMIT 1`),
    insert: sql.prepare(`INSERT INTO ${table} (key, rid) VALUES (?, ?)`),
    remove: sql.prepare(`DELETE FROM ${table} WHERE key = ? AND rid = ?`),
  };
}

function lazy<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}

/** A view of bytes that SQLite gave, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function without(keys: readonly Buffer[], others: readonly Buffer[]): readonly Buffer[] {
  if (others.length === 0 || keys.length === 0) return keys;
  if (keys.length === 1 && others.length === 1) return keys[0]!.equals(others[0]!) ? [] : keys;
  const known = new Set(others.map(k => k.toString('latin1')));
  return keys.filter(k => !known.has(k.toString('latin1')));
}

/** The server's duplicate key error for the entry of `doc` whose key is `key`. */
function duplicateKey(ns: string, index: Index, doc: Doc, key: Buffer, writer: KeyWriter): StoreError {
  const entries = entriesOf(doc, index.fields, index.sparse, () => {});
  const entry = entries.find(e => keyOf(e, index.fields, writer).equals(key))!;
  const keyValue: Doc = {};
  const shown = index.fields.map((field, i) => {
    const v = entry[i]!;
    keyValue[field.path] = v === EMPTY_ARRAY ? null : (v as Value);
    return `${field.path}: ${v === EMPTY_ARRAY ? 'undefined' : show(v as Value)}`;
  });
  return new StoreError(
    CODE.DuplicateKey,
    `E11000 duplicate key error collection: ${ns} index: ${index.name} dup key: { ${shown.join(', ')} }`,
    { keyPattern: index.spec.key, keyValue },
  );
}
