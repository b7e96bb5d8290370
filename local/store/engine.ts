import { type Cursors, createCursors } from './commands/cursors.ts';
import type { CompileExpr } from './query/filter.ts';
import { type Catalog, openCatalog } from './storage/catalog.ts';
import { openSql, type Sql } from './storage/sqlite.ts';
import type { Compilers } from './update/parse.ts';

/** What all commands work on. */
export interface Engine {
  sql: Sql;
  catalog: Catalog;
  cursors: Cursors;
  clock: () => Date;
  compilers: Compilers;
  expr: CompileExpr;
  /** Makes the open transaction, if there is one, durable; undoes it and throws when that fails. */
  commit(): void;
  /** Undoes the open transaction, in the file and in memory. */
  rollback(): void;
}

/** Opens the file (or ':memory:') and all that is in it. Throws an Error that says why when it cannot be used. */
export function openEngine(path: string, clock: () => Date, compilers: Compilers): Engine {
  const sql = openSql(path);
  const catalog = openCatalog(sql, compilers.expr);
  return {
    sql,
    catalog,
    cursors: createCursors(),
    clock,
    compilers,
    expr: compilers.expr,
    commit() {
      try {
        sql.commit();
      } catch (error) {
        catalog.reload();
        throw error;
      }
    },
    rollback() {
      sql.rollback();
      catalog.reload();
    },
  };
}
