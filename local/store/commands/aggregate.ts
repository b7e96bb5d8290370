import { scopeOf } from '../aggregate/expression.ts';
import { compilePipeline } from '../aggregate/pipeline.ts';
import type { StageContext } from '../aggregate/stage.ts';
import { countOf, parseMatch } from '../aggregate/stages.ts';
import { CODE, failedToParse, notSupported, StoreError } from '../errors.ts';
import { plan } from '../plan/planner.ts';
import { type Query, runQuery } from '../plan/query.ts';
import type { Filter } from '../query/filter.ts';
import { compileFilter } from '../query/match.ts';
import { parseSort } from '../query/sort.ts';
import { type Collection, NONE } from '../storage/collection.ts';
import { asInteger } from '../values/numbers.ts';
import { readDocument } from '../values/read.ts';
import { type Doc, isDoc, type Value } from '../values/value.ts';
import { writeDocument } from '../values/write.ts';
import { type Call, type Command, checkCollectionName, docArg, missing } from './call.ts';
import { countMatches } from './count.ts';

const FIRST_BATCH = 101;

/** The aggregate command. */
export const aggregate: Command = {
  fields: ['pipeline', 'cursor', 'explain', 'allowDiskUse', 'bypassDocumentValidation', 'hint', 'let'],
  run(call) {
    const { engine, args } = call;
    if (args.explain === true) throw notSupported("the option 'explain' of aggregate; use the explain command");
    if (args.cursor === undefined)
      throw failedToParse("The 'cursor' option is required, except for aggregate with the explain argument");
    const batchSize = asInteger(docArg(call, 'cursor')?.batchSize) ?? FIRST_BATCH;
    const { ns, documents } = aggregation(call);
    const options = { batchSize, keep: true, deadline: call.deadline };
    return engine.cursors.first(ns, documents, options, engine.clock().getTime());
  },
};

/** The part of a pipeline that is a query, and the rest of it. */
export interface Split {
  query: Query | undefined;
  skip: number;
  limit: number | undefined;
  rest: Value[];
}

function aggregation(call: Call): { ns: string; documents: Iterator<Buffer> } {
  const context = contextOf(call);
  const stages = pipelineOf(call);
  const name = sourceOf(call);
  // Compiled as a whole first, so that every mistake is found before anything runs.
  compilePipeline(stages, context);
  const collection = name === undefined ? undefined : call.engine.catalog.get(call.db, name);
  const ns = `${call.db}.${name ?? '$cmd.aggregate'}`;
  const split = splitPipeline(stages, collection, call.args.hint, context);
  return { ns, documents: bytesOf(results(call, split, context)) };
}

/** The context of a command's pipeline. */
export function contextOf(call: Call): StageContext {
  const { engine, db, deadline } = call;
  const variables = docArg(call, 'let') ?? {};
  const now = engine.clock();
  const vars: Doc = {};
  for (const [name, e] of Object.entries(variables)) {
    const scope = scopeOf(now);
    vars[name] = scope.compile(e, scope)({ root: {}, vars: {} }) ?? null;
  }
  return { engine, db, scope: scopeOf(now, Object.keys(vars)), frame: { vars }, deadline };
}

/** The stages of a command's pipeline. */
export function pipelineOf(call: Call): Value[] {
  const { pipeline } = call.args;
  if (pipeline === undefined) throw missing('aggregate.pipeline');
  if (!Array.isArray(pipeline))
    throw new StoreError(CODE.TypeMismatch, "'pipeline' option must be specified as an array");
  return pipeline;
}

/** The collection a pipeline reads; undefined for one on the database. */
export function sourceOf(call: Call): string | undefined {
  const name = call.args.aggregate;
  if (typeof name === 'string') {
    checkCollectionName(call.db, name);
    return name;
  }
  if (asInteger(name) !== 1) {
    throw new StoreError(
      CODE.FailedToParse,
      "Invalid command format: the 'aggregate' field must specify a collection name or 1",
    );
  }
  throw notSupported('an aggregation on a database');
}

/** Takes the leading `$match`, `$sort`, `$skip` and `$limit` of a pipeline as one query, which may use indexes. */
export function splitPipeline(
  stages: Value[],
  collection: Collection | undefined,
  hint: Value | undefined,
  context: StageContext,
): Split {
  const matches: Filter[] = [];
  let sort: Doc = {};
  let skip = 0;
  let limit: number | undefined;
  let at = 0;
  for (; at < stages.length; at++) {
    const stage = stages[at] as Doc;
    const sorted = Object.keys(sort).length > 0;
    if (isDoc(stage.$match) && !sorted && skip === 0 && limit === undefined)
      matches.push(parseMatch(stage.$match, context));
    else if (isDoc(stage.$sort) && !sorted && skip === 0 && limit === undefined) sort = stage.$sort;
    else if (stage.$skip !== undefined && limit === undefined) skip += countOf(stage.$skip, '$skip');
    else if (stage.$limit !== undefined)
      limit = Math.min(limit ?? Number.POSITIVE_INFINITY, countOf(stage.$limit, '$limit'));
    else break;
  }
  const filter: Filter = matches.length === 1 ? matches[0]! : { kind: 'and', of: matches };
  const fields = parseSort(sort);
  const chosen = plan(collection ?? NONE, filter, fields, collection && hint);
  const query = collection && { collection, filter, matches: compileFilter(filter), plan: chosen, sort: fields };
  return { query, skip, limit, rest: stages.slice(at) };
}

function results(call: Call, split: Split, context: StageContext): Iterable<Doc> {
  const counted = split.query && countOnly(split.rest);
  if (counted) {
    const limit = split.limit && split.limit + split.skip;
    const n = Math.max(0, countMatches(call, split.query!, limit) - split.skip);
    return n === 0 ? [] : [counted(n)];
  }
  return compilePipeline(split.rest, context)(queryDocuments(call, split));
}

/** `[{ $group: { _id: <constant>, n: { $sum: 1 } } }]`, which is how drivers count, needs no documents. */
function countOnly(rest: Value[]): ((n: number) => Doc) | undefined {
  const [stage] = rest as Doc[];
  if (rest.length !== 1 || !isDoc(stage?.$group)) return undefined;
  const { _id, n, ...others } = stage.$group;
  const constant = _id === null || typeof _id === 'number';
  if (!constant || Object.keys(others).length > 0 || !isDoc(n) || n.$sum !== 1 || Object.keys(n).length > 1)
    return undefined;
  return count => ({ _id: _id!, n: count });
}

function* queryDocuments(call: Call, { query, skip, limit }: Split): Generator<Doc> {
  if (!query) return;
  let toSkip = skip;
  const bounds = { limit: limit && limit + skip, deadline: call.deadline };
  for (const row of runQuery(call.engine.sql, query, bounds)) {
    if (toSkip > 0) toSkip--;
    else yield row.doc ?? readDocument(row.bytes);
  }
}

function* bytesOf(documents: Iterable<Doc>): Generator<Buffer> {
  try {
    for (const doc of documents) yield writeDocument(doc);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const message = `PlanExecutor error during aggregation :: caused by :: ${error.message}`;
    throw new StoreError(error.code, message, error.details);
  }
}
