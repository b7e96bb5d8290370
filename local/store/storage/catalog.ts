import { randomUUID } from 'node:crypto';
import { serialize } from 'bson';
import type { CompileExpr } from '../query/filter.ts';
import { readDocument } from '../values/read.ts';
import type { Doc } from '../values/value.ts';
import { asBuffer, type Collection, openCollection } from './collection.ts';
import { type Index, indexOf } from './indexSpec.ts';
import type { Sql } from './sqlite.ts';

/** The collections and indexes there are: tables `collections` and `indexes`, and the same in memory. */
export interface Catalog {
  get(db: string, name: string): Collection | undefined;
  /** The collections of a database by name. */
  list(db: string): Collection[];
  /** Databases with at least one collection, by name. */
  databases(): string[];
  create(db: string, name: string): Collection;
  drop(collection: Collection): void;
  /** Creates the index and fills it. Throws DuplicateKey, and then there is no index. */
  addIndex(collection: Collection, spec: Doc): Index;
  dropIndex(collection: Collection, index: Index): void;
  /** Reads all anew, after a rollback. */
  reload(): void;
}

const ID_INDEX: Doc = { v: 2, key: { _id: 1 }, name: '_id_' };

/** Opens the catalog, creating its tables in a new file. */
export function openCatalog(sql: Sql, expr: CompileExpr): Catalog {
  sql.exec(`CREATE TABLE IF NOT EXISTS collections (
      id INTEGER PRIMARY KEY, db TEXT NOT NULL, name TEXT NOT NULL, uuid BLOB NOT NULL, UNIQUE (db, name));
    CREATE TABLE IF NOT EXISTS indexes (
      id INTEGER PRIMARY KEY, collection INTEGER NOT NULL, spec BLOB NOT NULL, arrays TEXT NOT NULL)`);
  const byNs = new Map<string, Collection>();

  function saveArrays(index: Index): void {
    const arrays = JSON.stringify(index.fields.map(f => [...f.arraysAt]));
    sql.prepare('UPDATE indexes SET arrays = ? WHERE id = ?').run(arrays, index.id);
  }

  function load(): void {
    byNs.clear();
    for (const row of sql.prepare('SELECT id, db, name, uuid FROM collections').all()) {
      const [id, db, name, uuid] = row as unknown as [number, string, string, Uint8Array];
      const indexes = sql.prepare('SELECT id, spec, arrays FROM indexes WHERE collection = ? ORDER BY id').all(id);
      const meta = { id, db, name, uuid: asBuffer(uuid), indexes: indexes.map(readIndex) };
      byNs.set(`${db}.${name}`, openCollection(sql, meta, saveArrays));
    }
  }

  function readIndex(row: unknown): Index {
    const [id, spec, arrays] = row as [number, Uint8Array, string];
    return indexOf(id, readDocument(asBuffer(spec)), JSON.parse(arrays) as number[][], expr);
  }

  function newIndex(collection: number, spec: Doc): Index {
    const bytes = serialize(spec);
    const { lastInsertRowid } = sql
      .prepare('INSERT INTO indexes (collection, spec, arrays) VALUES (?, ?, ?)')
      .run(collection, bytes, '[]');
    const id = Number(lastInsertRowid);
    sql.exec(`CREATE TABLE index_${id} (key BLOB, rid INTEGER, PRIMARY KEY (key, rid)) WITHOUT ROWID`);
    return indexOf(id, spec, [], expr);
  }

  function dropTable(table: string): void {
    sql.forget(table);
    sql.exec(`DROP TABLE ${table}`);
  }

  load();

  return {
    get: (db, name) => byNs.get(`${db}.${name}`),
    list: db => [...byNs.values()].filter(c => c.db === db).sort((a, b) => (a.name < b.name ? -1 : 1)),
    databases: () => [...new Set([...byNs.values()].map(c => c.db))].sort(),
    create(db, name) {
      sql.begin();
      const uuid = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
      const { lastInsertRowid } = sql
        .prepare('INSERT INTO collections (db, name, uuid) VALUES (?, ?, ?)')
        .run(db, name, uuid);
      const id = Number(lastInsertRowid);
      sql.exec(`CREATE TABLE docs_${id} (rid INTEGER PRIMARY KEY, doc BLOB NOT NULL)`);
      const collection = openCollection(sql, { id, db, name, uuid, indexes: [newIndex(id, ID_INDEX)] }, saveArrays);
      byNs.set(collection.ns, collection);
      return collection;
    },
    drop(collection) {
      sql.begin();
      for (const index of collection.indexes) dropTable(`index_${index.id}`);
      dropTable(`docs_${collection.id}`);
      sql.prepare('DELETE FROM indexes WHERE collection = ?').run(collection.id);
      sql.prepare('DELETE FROM collections WHERE id = ?').run(collection.id);
      byNs.delete(collection.ns);
    },
    addIndex(collection, spec) {
      sql.begin();
      const index = newIndex(collection.id, spec);
      try {
        collection.build(index);
      } catch (error) {
        dropTable(`index_${index.id}`);
        sql.prepare('DELETE FROM indexes WHERE id = ?').run(index.id);
        throw error;
      }
      collection.indexes.push(index);
      return index;
    },
    dropIndex(collection, index) {
      sql.begin();
      dropTable(`index_${index.id}`);
      sql.prepare('DELETE FROM indexes WHERE id = ?').run(index.id);
      collection.indexes.splice(collection.indexes.indexOf(index), 1);
    },
    reload: load,
  };
}
