import { notSupported, StoreError } from '../errors.ts';
import { plan } from '../plan/planner.ts';
import { type Query, runQuery } from '../plan/query.ts';
import type { Filter } from '../query/filter.ts';
import { compileFilter } from '../query/match.ts';
import type { Collection } from '../storage/collection.ts';
import { scanCollection } from '../storage/scan.ts';
import { createKeyWriter } from '../values/key.ts';
import { walkPath } from '../values/path.ts';
import { readDocument } from '../values/read.ts';
import { type Doc, isDoc, typeOf, type Value } from '../values/value.ts';
import { type Expr, pathValue } from './env.ts';
import { checkFieldPath } from './expression.ts';
import { setPath } from './setPath.ts';
import type { CompilePipeline, CompileStage, Stage, StageContext } from './stage.ts';

/** Finds the documents of the other collection that belong to one. */
type Join = (doc: Doc) => Iterable<Doc>;

/** The `$lookup` stage: by equal fields (through an index when there is one), by a pipeline, or both. */
export function lookup(compilePipeline: CompilePipeline): CompileStage {
  return (argument, context) => {
    const spec = checkSpec(argument);
    const collection = context.engine.catalog.get(context.db, spec.from);
    const join = equalityJoin(collection, spec, context);
    const inner = innerPipeline(spec, context, compilePipeline);
    return function* (input) {
      for (const doc of input) {
        const found = join(doc);
        yield setPath(doc, spec.as, [...(inner ? inner(doc, found) : found)]);
      }
    };
  };
}

interface Spec {
  from: string;
  as: string[];
  localField: string[] | undefined;
  foreignField: string[] | undefined;
  let: Doc;
  pipeline: Value[] | undefined;
}

const FIELDS = ['from', 'as', 'localField', 'foreignField', 'let', 'pipeline'];

function checkSpec(argument: Value): Spec {
  if (!isDoc(argument)) {
    throw new StoreError(9, `the $lookup stage specification must be an object, but found ${typeOf(argument).name}`);
  }
  for (const name of Object.keys(argument)) {
    if (!FIELDS.includes(name)) throw new StoreError(9, `unknown argument to $lookup: ${name}`);
  }
  const { from, as, localField, foreignField, pipeline } = argument;
  const needsString = (name: string, v: Value | undefined) => {
    if (v !== undefined && typeof v === 'string') return v;
    throw new StoreError(
      9,
      v === undefined
        ? `must specify '${name}' field for a $lookup`
        : `$lookup argument '${name}' must be a string, found ${name}: ${typeOf(v).name}`,
    );
  };
  if (from !== undefined && isDoc(from)) throw notSupported('$lookup from another database');
  if ((localField === undefined) !== (foreignField === undefined)) {
    throw new StoreError(9, "$lookup requires both or neither of 'localField' and 'foreignField' to be specified");
  }
  if (localField === undefined && pipeline === undefined) {
    throw new StoreError(
      9,
      "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
    );
  }
  if (pipeline !== undefined && !Array.isArray(pipeline)) {
    throw new StoreError(14, "'pipeline' option must be specified as an array");
  }
  if (argument.let !== undefined && !isDoc(argument.let)) {
    throw new StoreError(9, `$lookup argument 'let' must be an object, found ${typeOf(argument.let).name}`);
  }
  return {
    from: needsString('from', from),
    as: checkFieldPath(needsString('as', as)),
    localField: localField === undefined ? undefined : checkFieldPath(needsString('localField', localField)),
    foreignField: foreignField === undefined ? undefined : checkFieldPath(needsString('foreignField', foreignField)),
    let: (argument.let as Doc | undefined) ?? {},
    pipeline,
  };
}

function equalityJoin(collection: Collection | undefined, spec: Spec, context: StageContext): Join {
  const { localField, foreignField } = spec;
  if (!collection) return () => [];
  if (!localField || !foreignField) return () => allDocuments(collection, context);
  const path = foreignField.join('.');
  const probe = queryFor(collection, path, [1]);
  let hashed: ((values: Value[]) => Doc[]) | undefined;
  return doc => {
    const values = localValues(doc, localField);
    if (probe.plan.access.kind !== 'collection') return documentsOf(queryFor(collection, path, values), context);
    hashed ??= hashBy(collection, foreignField, context);
    return hashed(values);
  };
}

function allDocuments(collection: Collection, context: StageContext): Doc[] {
  const rows = scanCollection(context.engine.sql, collection, false);
  return Array.from(rows, row => readDocument(row.bytes));
}

/** A missing local field equals null; of an array each element may be equal. */
function localValues(doc: Doc, localField: string[]): Value[] {
  const v = pathValue(doc, localField, 0);
  if (v === undefined) return [null];
  return Array.isArray(v) ? v : [v];
}

function queryFor(collection: Collection, path: string, values: Value[]): Query {
  const filter: Filter = { kind: 'test', path, test: { op: 'in', values, regexes: [] } };
  return {
    collection,
    filter,
    matches: compileFilter(filter),
    plan: plan(collection, filter, [], undefined),
    sort: [],
  };
}

function* documentsOf(query: Query, { engine, deadline }: StageContext): Generator<Doc> {
  for (const row of runQuery(engine.sql, query, { deadline })) yield row.doc ?? readDocument(row.bytes);
}

/** All documents of a collection by the values they have in a field, for want of an index. */
function hashBy(collection: Collection, parts: string[], context: StageContext): (values: Value[]) => Doc[] {
  const writer = createKeyWriter();
  const keyOf = (v: Value) => {
    writer.value(v, false);
    return writer.take().toString('latin1');
  };
  const documents = allDocuments(collection, context);
  const byKey = new Map<string, number[]>();
  documents.forEach((doc, i) => {
    walkPath(doc, parts, true, v => {
      const key = keyOf(v ?? null);
      const known = byKey.get(key);
      if (!known) byKey.set(key, [i]);
      else if (known.at(-1) !== i) known.push(i);
      return false;
    });
  });
  return values => {
    const found = new Set(values.flatMap(v => byKey.get(keyOf(v)) ?? []));
    return [...found].sort((a, b) => a - b).map(i => documents[i]!);
  };
}

function innerPipeline(
  spec: Spec,
  context: StageContext,
  compilePipeline: CompilePipeline,
): ((doc: Doc, found: Iterable<Doc>) => Iterable<Doc>) | undefined {
  if (!spec.pipeline) return undefined;
  const variables = Object.entries(spec.let).map(([name, e]): [string, Expr] => [
    name,
    context.scope.compile(e, context.scope),
  ]);
  const frame = { vars: {} as Doc };
  const names = new Set([...context.scope.names, ...variables.map(([name]) => name)]);
  const run: Stage = compilePipeline(spec.pipeline, { ...context, scope: { ...context.scope, names }, frame });
  return (root, found) => {
    const outer = context.frame.vars;
    const bound = variables.map(([name, e]) => [name, e({ root, vars: outer })] as const);
    frame.vars = { ...outer, ...(Object.fromEntries(bound) as Doc) };
    return [...run(found)];
  };
}
