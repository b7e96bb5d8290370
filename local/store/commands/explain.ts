import { CODE, StoreError } from '../errors.ts';
import type { Access, Plan } from '../plan/planner.ts';
import { type Counters, prepareQuery, type Query, runQuery } from '../plan/query.ts';
import { parseSort } from '../query/sort.ts';
import { NONE } from '../storage/collection.ts';
import { type Doc, isDoc } from '../values/value.ts';
import { contextOf, pipelineOf, sourceOf, splitPipeline } from './aggregate.ts';
import { type Call, type Command, countArg, docArg, documentsArg } from './call.ts';
import { readQuery } from './count.ts';
import { findQuery } from './find.ts';
import { readStatement } from './update.ts';

/** A command to be explained: its query, and the stages around it from the outermost in. */
interface Explained {
  query: Query | undefined;
  outer: string[];
  limit: number | undefined;
  rest?: Doc[];
}

const EXPLAIN: Record<string, (call: Call) => Explained> = {
  find: call => {
    const limit = countArg(call, 'limit') || undefined;
    const skip = countArg(call, 'skip') ?? 0;
    const projection = Object.keys(docArg(call, 'projection') ?? {}).length > 0;
    const outer = [
      ...(projection ? ['PROJECTION_DEFAULT'] : []),
      ...(limit ? ['LIMIT'] : []),
      ...(skip ? ['SKIP'] : []),
    ];
    return { query: findQuery(call), outer, limit: limit && limit + skip };
  },
  count: call => ({ query: readQuery(call), outer: ['COUNT'], limit: undefined }),
  distinct: call => ({ query: readQuery(call), outer: [], limit: undefined }),
  update: call => statement(call, 'updates', 'UPDATE'),
  delete: call => statement(call, 'deletes', 'DELETE'),
  findAndModify: call => {
    const collection = call.engine.catalog.get(call.db, String(call.args.findAndModify));
    const sort = parseSort(docArg(call, 'sort') ?? {});
    const filter = docArg(call, 'query') ?? {};
    const query = prepareQuery(collection ?? NONE, filter, sort, collection && call.args.hint, call.engine.expr);
    return { query: collection && query, outer: [call.args.remove === true ? 'DELETE' : 'UPDATE'], limit: 1 };
  },
  aggregate: call => {
    const collection = call.engine.catalog.get(call.db, sourceOf(call) ?? '');
    const split = splitPipeline(pipelineOf(call), collection, call.args.hint, contextOf(call));
    const limit = split.limit && split.limit + split.skip;
    return { query: split.query, outer: [], limit, rest: split.rest as Doc[] };
  },
};

function statement(call: Call, field: string, stage: string): Explained {
  const [first] = documentsArg(call, field).map(readStatement);
  const collection = call.engine.catalog.get(call.db, String(call.args[call.name]));
  const filter = isDoc(first?.q) ? first.q : {};
  const query = prepareQuery(collection ?? NONE, filter, [], collection && first?.hint, call.engine.expr);
  return { query: collection && query, outer: [stage], limit: undefined };
}

/** The explain command: `queryPlanner.winningPlan` with the server's stage names, and `executionStats` when asked for. */
export const explain: Command = {
  fields: ['verbosity'],
  run(call): Doc {
    const inner = call.args.explain;
    if (!isDoc(inner)) throw new StoreError(CODE.TypeMismatch, "BSON field 'explain.explain' must be an object");
    const name = Object.keys(inner)[0] ?? '';
    const prepare = Object.hasOwn(EXPLAIN, name) ? EXPLAIN[name] : undefined;
    if (!prepare) throw new StoreError(CODE.IllegalOperation, `Cannot explain cmd: ${name}`);
    const explained = prepare({ ...call, name, args: inner, sequences: new Map() });
    const { verbosity = 'allPlansExecution' } = call.args;
    const answer = describe(`${call.db}.${String(inner[name])}`, explained);
    if (verbosity !== 'queryPlanner' && explained.query) answer.executionStats = execute(call, explained);
    if (!explained.rest || explained.rest.length === 0) return answer;
    return { explainVersion: '1', stages: [{ $cursor: answer }, ...explained.rest] };
  },
};

function describe(namespace: string, { query, outer }: Explained): Doc {
  const winning = query ? stagesOf(query, query.plan) : { stage: 'EOF' };
  const winningPlan = outer.reduceRight((inputStage: Doc, stage): Doc => ({ stage, inputStage }), winning);
  return { explainVersion: '1', queryPlanner: { namespace, winningPlan, rejectedPlans: [] } };
}

function stagesOf(query: Query, { access, exact, sorted }: Plan): Doc {
  const found = accessStages(access, !exact);
  if (sorted) return found;
  const sortPattern = Object.fromEntries(query.sort.map(f => [f.path, f.descending ? -1 : 1]));
  return { stage: 'SORT', sortPattern, inputStage: found };
}

function accessStages(access: Access, filtered: boolean): Doc {
  if (access.kind === 'collection') return { stage: 'COLLSCAN', direction: access.reverse ? 'backward' : 'forward' };
  if (access.kind === 'or') {
    const inputStages = access.branches.map(b => accessStages(b, true).inputStage!);
    return { stage: 'FETCH', inputStage: { stage: 'OR', inputStages } };
  }
  const { index, bounds, reverse } = access;
  const pinned = bounds.fields.length === 1 && bounds.fields[0]!.length === 1 && bounds.fields[0]![0]!.point;
  if (index.name === '_id_' && pinned && !filtered) return { stage: 'IDHACK' };
  return {
    stage: 'FETCH',
    inputStage: {
      stage: 'IXSCAN',
      keyPattern: index.spec.key!,
      indexName: index.name,
      isMultiKey: index.fields.some(f => f.arraysAt.size > 0),
      isUnique: index.unique,
      isSparse: index.sparse,
      isPartial: index.partial !== undefined,
      direction: reverse ? 'backward' : 'forward',
    },
  };
}

function execute(call: Call, { query, limit }: Explained): Doc {
  const counters: Counters = { keys: 0, docs: 0 };
  let n = 0;
  for (const _ of runQuery(call.engine.sql, query!, { limit, deadline: call.deadline, counters })) n++;
  return { executionSuccess: true, nReturned: n, totalKeysExamined: counters.keys, totalDocsExamined: counters.docs };
}
