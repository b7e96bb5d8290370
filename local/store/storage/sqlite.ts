import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** The one SQLite connection of a store: its statements, prepared once each, and its transaction. */
export interface Sql {
  /** The prepared statement of this text; its rows are arrays. */
  prepare(text: string): StatementSync;
  exec(text: string): void;
  /** Opens the write transaction unless it is open. */
  begin(): void;
  inTransaction(): boolean;
  /** Makes the open transaction durable (fsync); throws when SQLite cannot, and nothing of it remains. */
  commit(): void;
  rollback(): void;
  /** Forgets the prepared statements that name a table about to be dropped. */
  forget(table: string): void;
  close(): void;
}

/** 'TRAD': marks the file as one of this store. */
const APPLICATION_ID = 0x54524144;
const FORMAT = 1;

/**
 * Opens the file (created when missing) or ':memory:', for this process alone: a second one on the same file fails.
 * Write-ahead log with synchronous=FULL, so a commit is on the disk when it returns.
 * Throws an Error that names the file and the reason when it cannot be used.
 */
export function openSql(path: string): Sql {
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(path);
    prepareFile(db);
  } catch (error) {
    throw explain(path, error);
  }
  const statements = new Map<string, StatementSync>();
  let open = false;

  return {
    prepare(text) {
      let statement = statements.get(text);
      if (!statement) {
        statement = db.prepare(text);
        statement.setReturnArrays(true);
        statements.set(text, statement);
      }
      return statement;
    },
    exec: text => db.exec(text),
    begin() {
      if (open) return;
      db.exec('BEGIN IMMEDIATE');
      open = true;
    },
    inTransaction: () => open,
    commit() {
      if (!open) return;
      try {
        db.exec('COMMIT');
        open = false;
      } catch (error) {
        this.rollback();
        throw error;
      }
    },
    rollback() {
      if (!open) return;
      open = false;
      // A failed statement may have rolled back already (disk full); then there is nothing left to undo.
      if (db.isTransaction) db.exec('ROLLBACK');
    },
    forget(table) {
      for (const text of statements.keys()) if (text.includes(table)) statements.delete(text);
    },
    close() {
      statements.clear();
      db.close();
    },
  };
}

function prepareFile(db: DatabaseSync): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0');
  const marked = db.prepare('PRAGMA application_id').get()?.application_id;
  const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count);
  if (pages > 0 && marked !== APPLICATION_ID) throw new Error('it is not a document store file');
  const format = db.prepare('PRAGMA user_version').get()?.user_version;
  if (pages > 0 && format !== FORMAT) throw new Error(`its format is ${format}, this version reads ${FORMAT}`);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864`);
  // Taken now, so that a second process fails here and not at its first write; and the file is known to be writable.
  db.exec(`BEGIN IMMEDIATE; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; COMMIT`);
}

function explain(path: string, error: unknown): Error {
  const message = (error as Error).message;
  const code = (error as { errcode?: number }).errcode;
  const reasons: Record<number, string> = {
    5: 'another process has it open',
    8: 'it is not writable',
    14: 'it cannot be opened (does its folder exist and is it writable?)',
    26: 'it is not a document store file',
  };
  const reason = (code !== undefined && reasons[code & 0xff]) || message;
  return new Error(`cannot open the document store ${path}: ${reason}`, { cause: error });
}
