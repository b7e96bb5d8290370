import { badValue, CODE, StoreError } from '../errors.ts';
import { prepareQuery, type Query, runQuery } from '../plan/query.ts';
import { pathValues } from '../query/distinct.ts';
import { NONE } from '../storage/collection.ts';
import { countKeys } from '../storage/scan.ts';
import { createKeyWriter } from '../values/key.ts';
import { asInteger } from '../values/numbers.ts';
import { readDocument } from '../values/read.ts';
import type { Doc, Value } from '../values/value.ts';
import { type Call, type Command, collectionName, countArg, docArg, missing } from './call.ts';

/** The query of a count or distinct; undefined when there is no such collection. */
export function readQuery(call: Call): Query | undefined {
  const collection = call.engine.catalog.get(call.db, collectionName(call));
  const filter = docArg(call, 'query') ?? {};
  const query = prepareQuery(collection ?? NONE, filter, [], collection && call.args.hint, call.engine.expr);
  return collection && query;
}

/** How many documents a query has, counted in the index alone where that tells. */
export function countMatches(call: Call, query: Query, limit: number | undefined): number {
  const { access, exact } = query.plan;
  const { sql } = call.engine;
  if (query.filter.kind === 'and' && query.filter.of.length === 0) {
    const all = query.collection.count();
    return limit === undefined ? all : Math.min(all, limit);
  }
  if (exact && access.kind === 'index' && access.index.fields.every(f => f.arraysAt.size === 0)) {
    const all = countKeys(sql, access.index, access.ranges);
    return limit === undefined ? all : Math.min(all, limit);
  }
  let n = 0;
  for (const _ of runQuery(sql, query, { limit, deadline: call.deadline })) n++;
  return n;
}

/** The count command. */
export const count: Command = {
  fields: ['query', 'limit', 'skip', 'hint', 'fields'],
  run(call): Doc {
    const query = readQuery(call);
    const skip = countArg(call, 'skip') ?? 0;
    // A negative limit means the same as a positive one here.
    const limit = Math.abs(asInteger(call.args.limit) ?? 0) || undefined;
    if (!query) return { n: 0 };
    const n = countMatches(call, query, limit && limit + skip);
    return { n: Math.max(0, n - skip) };
  },
};

/** The distinct command. */
export const distinct: Command = {
  fields: ['key', 'query', 'hint'],
  run(call): Doc {
    const { key } = call.args;
    if (key === undefined) throw missing('distinct.key');
    if (typeof key !== 'string') throw new StoreError(CODE.TypeMismatch, "BSON field 'distinct.key' is the wrong type");
    if (key.includes('\0')) throw badValue('the key of a distinct may not contain a null byte');
    const query = readQuery(call);
    const writer = createKeyWriter();
    const values = new Map<string, Value>();
    if (query) {
      for (const row of runQuery(call.engine.sql, query, { deadline: call.deadline })) {
        for (const v of pathValues(row.doc ?? readDocument(row.bytes), key.split('.'))) {
          writer.value(v, false);
          const id = writer.take().toString('latin1');
          if (!values.has(id)) values.set(id, v);
        }
      }
    }
    return { values: [...values.values()] };
  },
};
