/**
 * The embedded document store: speaks the MongoDB wire protocol to unmodified drivers, so that services use plain
 * mongoose and cannot tell it from a standalone mongod 6.0 (no replica set, no authentication). `conformance/` holds one
 * suite for both.
 *
 * How it is built, from the socket inwards:
 *
 *     wire/       messages, and turns: what arrives in one turn of the event loop shares one transaction (group commit)
 *     commands/   one function per command; unknown commands, arguments and options are refused
 *     query/      filters, sorts and projections            plan/     how documents are found
 *     update/     update operators                           aggregate/ expressions and stages
 *     storage/    one SQLite file: collections, documents, indexes
 *     values/     BSON as it is held, compared, printed, and encoded into index keys
 *
 * `bson` and `node:sqlite` carry it; mingo computes the date and the rarer numeric expressions. Filters, updates and the
 * common expressions are own code, because mingo knows neither BSON's numeric types nor the server's order of types, its
 * null and missing, its paths through arrays or its errors.
 *
 * **Durability.** SQLite runs with a write-ahead log and synchronous=FULL. Requests run one after another; those that
 * arrived together commit together, and every answer, also to a read, leaves after that commit: what anybody has seen is
 * on the disk. When a commit fails, all writes in it are answered with an error and nothing of them remains. The file
 * belongs to one process; a second one is refused.
 *
 * **Plans.** Each index is a table of (key, record), its keys ordered bytewise as MongoDB orders values (values/key.ts);
 * an array gives one entry per element. An index is used for
 *
 *  - equality (also with null), `$in`, `$gt`/`$gte`/`$lt`/`$lte`, `^prefix` patterns, and these inside `$elemMatch`: on
 *    the leading fields of its key, points up to the first range; dotted paths and arrays included;
 *  - a sort on its fields in either direction, after fields pinned by equality; with a limit the walk ends early;
 *  - `$or`, when each branch has an index;
 *  - counts, without reading documents, when the bounds say all.
 *
 * A sparse index is used when the filter needs one of its fields to exist, a partial one when the filter implies its
 * expression. Where documents have arrays, bounds of different elements are never combined. All else reads the
 * collection; so do paths with numbers in them. Of several indexes the one with the most pinned fields wins, then the one
 * with the order of the sort; there are no statistics. `explain` shows the choice.
 *
 * **What differs from mongod.** Refused with a clear error: transactions, change streams, `$where`, `$text`, geospatial
 * operators and indexes, `$jsonSchema` and validators, collations, text, hashed, wildcard and hidden indexes, capped
 * collections, views, time series, `$out`, `$merge` and the rarer stages and accumulators, time zones in date
 * expressions, arithmetic on Decimal128 (it is kept and compared), authentication, and BSON's deprecated types. Besides:
 * fields whose names are integers come first after an update, as in every JS object; some updates that change nothing
 * (a `$push` with `$sort`, an `$inc` of NaN) do not count as modifying; `distinct` never gives null for a missing field.
 */

import { compileExpr, scopeOf } from './aggregate/expression.ts';
import { compileUpdatePipeline } from './aggregate/pipeline.ts';
import { encodeError, execute } from './commands/dispatch.ts';
import { type Engine, openEngine } from './engine.ts';
import { sweepExpired } from './ttl.ts';
import type { Request } from './wire/frame.ts';
import { listen } from './wire/server.ts';
import { createTurns, type Turns } from './wire/turns.ts';

/** Settings of a store. */
export interface DocumentStoreOptions {
  /** The SQLite file, created when missing. Left out with `memory: true`. */
  path?: string;
  /** Keep everything in memory only; it is gone after `close`. */
  memory?: boolean;
  /** The port to listen on; 0 takes a free one. */
  port: number;
  /** The address to listen on; 127.0.0.1 by default. */
  host?: string;
  /** The time, for TTL indexes and `$currentDate`; the system's by default. */
  clock?: () => Date;
  /** How often expired documents are deleted, in milliseconds; 60 000 by default, as on the server. 0: never. */
  ttlIntervalMs?: number;
}

/** A running store. */
export interface DocumentStore {
  /** The connection string of a database in it. */
  uri(dbName: string): string;
  port: number;
  /** Deletes what TTL indexes say has expired; resolves to the number of documents when that is durable. */
  sweepExpired(): Promise<number>;
  /** Ends all connections and closes the file. */
  close(): Promise<void>;
}

const TTL_INTERVAL_MS = 60_000;
/** Cursors that nobody asks are dropped after this, as on the server. */
const CURSOR_TIMEOUT_MS = 10 * 60_000;

/**
 * Starts the embedded document store in this thread. Rejects with an Error that says why when the port is in use
 * (`code` EADDRINUSE) or the file cannot be opened.
 */
export async function startDocumentStore(options: DocumentStoreOptions): Promise<DocumentStore> {
  const { host = '127.0.0.1', clock = () => new Date(), ttlIntervalMs = TTL_INTERVAL_MS } = options;
  const path = options.memory ? ':memory:' : options.path;
  if (path === undefined) throw new Error('a document store needs a path, or memory: true');
  const engine: Engine = openEngine(path, clock, {
    expr: expression => compileExpr(expression, scopeOf(clock())),
    pipeline: stages => compileUpdatePipeline(stages, () => engine, clock()),
  });
  const turns = createTurns({
    inTransaction: () => engine.sql.inTransaction(),
    commit: () => engine.commit(),
    rollback: () => engine.rollback(),
  });
  const answers = {
    execute: (request: Request, connectionId: number) => execute(engine, request, connectionId),
    refuse: encodeError,
  };
  const server = await listen(host, options.port, answers, turns).catch(error => {
    engine.sql.close();
    throw error;
  });
  const housekeeping = ttlIntervalMs > 0 ? setInterval(keepHouse, ttlIntervalMs) : undefined;
  housekeeping?.unref();

  function keepHouse(): void {
    engine.cursors.expire(clock().getTime() - CURSOR_TIMEOUT_MS);
    // A sweep that fails has deleted nothing; the next one tries again, and every write meanwhile reports the failure.
    sweepAll(engine, turns).catch(() => {});
  }

  return {
    uri: dbName => `mongodb://${host}:${server.port}/${dbName}?directConnection=true`,
    port: server.port,
    sweepExpired: () => sweepAll(engine, turns),
    async close() {
      clearInterval(housekeeping);
      turns.close();
      await server.close();
      turns.close();
      engine.sql.close();
    },
  };
}

/** Sweeps in turns of their own until nothing is left. */
async function sweepAll(engine: Engine, turns: Turns): Promise<number> {
  let total = 0;
  for (;;) {
    const deleted = await inTurn(turns, () => sweepExpired(engine));
    if (deleted === 0) return total;
    total += deleted;
  }
}

function inTurn<T>(turns: Turns, run: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    let result: T;
    turns.submit({
      run() {
        result = run();
      },
      done: () => resolve(result),
      failed: reject,
    });
  });
}
