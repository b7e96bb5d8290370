import type { Engine } from './engine.ts';
import { prepareQuery, runQuery } from './plan/query.ts';
import type { Collection } from './storage/collection.ts';
import type { Index } from './storage/indexSpec.ts';
import { readDocument } from './values/read.ts';

/** At most so many documents are deleted in one turn, so that a sweep does not hold up the requests. */
const BATCH = 1000;

/**
 * Deletes documents whose date in a TTL index lies as far back as its `expireAfterSeconds`; of an array, any date.
 * Returns how many, at most 1000 of each index; other values than dates never expire.
 */
export function sweepExpired(engine: Engine): number {
  let deleted = 0;
  for (const db of engine.catalog.databases()) {
    for (const collection of engine.catalog.list(db)) {
      for (const index of collection.indexes) {
        if (index.expireAfterSeconds !== undefined)
          deleted += sweep(engine, collection, index, index.expireAfterSeconds);
      }
    }
  }
  return deleted;
}

function sweep(engine: Engine, collection: Collection, index: Index, seconds: number): number {
  const before = new Date(engine.clock().getTime() - seconds * 1000);
  const filter = { [index.fields[0]!.path]: { $lte: before } };
  const query = prepareQuery(collection, filter, [], index.name, engine.expr);
  const expired = [...runQuery(engine.sql, query, { limit: BATCH })];
  for (const row of expired) collection.remove(row.rid, collection.keysOf(row.doc ?? readDocument(row.bytes)));
  return expired.length;
}
