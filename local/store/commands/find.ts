import { scopeOf } from '../aggregate/expression.ts';
import { CODE, StoreError } from '../errors.ts';
import { prepareQuery, type Query, runQuery } from '../plan/query.ts';
import { compileProjection, type Projection } from '../query/project.ts';
import { parseSort } from '../query/sort.ts';
import { NONE } from '../storage/collection.ts';
import { readDocument } from '../values/read.ts';
import { writeDocument } from '../values/write.ts';
import { encodeBatch } from '../wire/reply.ts';
import { boolArg, type Call, type Command, collectionName, countArg, docArg, exprOf } from './call.ts';

export const FIND_FIELDS = [
  'filter',
  'projection',
  'sort',
  'skip',
  'limit',
  'batchSize',
  'singleBatch',
  'hint',
  'let',
  'noCursorTimeout',
  'allowDiskUse',
  'allowPartialResults',
];

/** How many documents the first batch has when the client does not say. */
const FIRST_BATCH = 101;

/** The find command. */
export const find: Command = {
  fields: FIND_FIELDS,
  run(call) {
    const { engine } = call;
    const name = collectionName(call);
    const ns = `${call.db}.${name}`;
    const query = findQuery(call);
    const limit = countArg(call, 'limit') || undefined;
    const skip = countArg(call, 'skip') ?? 0;
    const batchSize = countArg(call, 'batchSize') ?? FIRST_BATCH;
    const scope = scopeOf(engine.clock());
    const projection = { matches: query?.matches, expr: engine.expr };
    const project = compileProjection(docArg(call, 'projection') ?? {}, scope, projection);
    if (!query) return encodeBatch('firstBatch', ns, 0n, []);
    const documents = found(call, query, skip, limit, project);
    const options = {
      batchSize,
      keep: !boolArg(call, 'singleBatch'),
      noTimeout: boolArg(call, 'noCursorTimeout'),
      deadline: call.deadline,
    };
    return engine.cursors.first(ns, documents, options, engine.clock().getTime());
  },
};

/** The query of a find; undefined when there is no such collection (its arguments are checked all the same). */
export function findQuery(call: Call): Query | undefined {
  const { engine, args } = call;
  const collection = engine.catalog.get(call.db, collectionName(call));
  const filter = docArg(call, 'filter') ?? {};
  const sortDoc = docArg(call, 'sort') ?? {};
  const sort = parseSort(sortDoc);
  const hint = args.hint ?? ('$natural' in sortDoc ? sortDoc : undefined);
  const query = prepareQuery(collection ?? NONE, filter, sort, collection && hint, exprOf(call));
  return collection && query;
}

function* found(
  call: Call,
  query: Query,
  skip: number,
  limit: number | undefined,
  project: Projection | undefined,
): Generator<Buffer> {
  const bounds = { limit: limit && limit + skip, deadline: call.deadline };
  let toSkip = skip;
  try {
    for (const row of runQuery(call.engine.sql, query, bounds)) {
      if (toSkip > 0) toSkip--;
      else yield project ? writeDocument(project({ root: row.doc ?? readDocument(row.bytes), vars: {} })) : row.bytes;
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const message = `Executor error during find command :: caused by :: ${error.message}`;
    throw new StoreError(error.code, message, error.details);
  }
}

/** The getMore command. */
export const getMore: Command = {
  fields: ['collection', 'batchSize'],
  run(call) {
    const { getMore: id, collection } = call.args;
    if (typeof id !== 'bigint') {
      throw new StoreError(CODE.TypeMismatch, "BSON field 'getMore.getMore' is the wrong type, expected type 'long'");
    }
    const { cursors, clock } = call.engine;
    const batchSize = countArg(call, 'batchSize') || Number.POSITIVE_INFINITY;
    return cursors.next(id, `${call.db}.${String(collection)}`, batchSize, clock().getTime());
  },
};

/** The killCursors command. */
export const killCursors: Command = {
  fields: ['cursors'],
  run(call) {
    const ids = Array.isArray(call.args.cursors) ? call.args.cursors : [];
    const killed = ids.filter(id => typeof id === 'bigint' && call.engine.cursors.kill(id));
    const unknown = ids.filter(id => !killed.includes(id));
    return { cursorsKilled: killed, cursorsNotFound: unknown, cursorsAlive: [], cursorsUnknown: [] };
  },
};
