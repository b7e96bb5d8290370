import { scopeOf } from '../aggregate/expression.ts';
import { failedToParse } from '../errors.ts';
import { type FoundRow, prepareQuery, type Query, runQuery } from '../plan/query.ts';
import { compileProjection, type FindProjection } from '../query/project.ts';
import { parseSort } from '../query/sort.ts';
import { type Collection, NONE } from '../storage/collection.ts';
import { modifyRow, parseModifier, upsert } from '../update/modify.ts';
import { readDocument } from '../values/read.ts';
import type { Doc, Value } from '../values/value.ts';
import { boolArg, type Call, type Command, collectionName, docArg, exprOf } from './call.ts';
import { collectionToWrite } from './writes.ts';

/** The findAndModify command. */
export const findAndModify: Command = {
  fields: [
    'query',
    'sort',
    'remove',
    'update',
    'new',
    'fields',
    'upsert',
    'arrayFilters',
    'hint',
    'bypassDocumentValidation',
    'let',
  ],
  run(call): Doc {
    const { engine, args } = call;
    const name = collectionName(call);
    checkOptions(call);
    const filter = docArg(call, 'query') ?? {};
    const sort = parseSort(docArg(call, 'sort') ?? {});
    const existing = engine.catalog.get(call.db, name);
    const query = prepareQuery(existing ?? NONE, filter, sort, existing && args.hint, exprOf(call));
    const project = projector(call, query);
    if (boolArg(call, 'remove')) return existing ? removeFirst(call, existing, query, project) : nothing();

    const modifier = parseModifier(args.update, args.arrayFilters, engine);
    const returnsNew = boolArg(call, 'new');
    const row = existing && first(call, query);
    if (existing && row) {
      // Read anew for the answer: the update changes the document it is applied to.
      const old = returnsNew ? undefined : readDocument(row.bytes);
      const projectedOld = old && project(old);
      const { doc } = modifyRow(engine, existing, row, query.matches, modifier);
      return { lastErrorObject: { n: 1, updatedExisting: true }, value: projectedOld ?? project(doc) };
    }
    if (!boolArg(call, 'upsert')) return { lastErrorObject: { n: 0, updatedExisting: false }, value: null };
    const collection = existing ?? collectionToWrite(engine, call.db, name);
    const doc = upsert(engine, collection, query.filter, modifier);
    const lastErrorObject = { n: 1, updatedExisting: false, upserted: doc._id! };
    return { lastErrorObject, value: returnsNew ? project(doc) : null };
  },
};

function checkOptions(call: Call): void {
  const removes = boolArg(call, 'remove');
  if (removes && call.args.update !== undefined) throw failedToParse('Cannot specify both an update and remove=true');
  if (!removes && call.args.update === undefined) {
    throw failedToParse('Either an update or remove=true must be specified');
  }
  if (removes && boolArg(call, 'upsert')) throw failedToParse('Cannot specify both upsert=true and remove=true ');
  if (removes && boolArg(call, 'new')) {
    throw failedToParse("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
  }
}

function projector(call: Call, query: Query): (doc: Doc) => Value {
  const find: FindProjection = { matches: query.matches, expr: call.engine.expr };
  const project = compileProjection(docArg(call, 'fields') ?? {}, scopeOf(call.engine.clock()), find);
  return doc => (project ? project({ root: doc, vars: {} }) : doc);
}

function first(call: Call, query: Query): FoundRow | undefined {
  for (const row of runQuery(call.engine.sql, query, { limit: 1, deadline: call.deadline })) return row;
  return undefined;
}

function removeFirst(call: Call, collection: Collection, query: Query, project: (doc: Doc) => Value): Doc {
  const row = first(call, query);
  if (!row) return nothing();
  const doc = row.doc ?? readDocument(row.bytes);
  const value = project(doc);
  collection.remove(row.rid, collection.keysOf(doc));
  return { lastErrorObject: { n: 1 }, value };
}

function nothing(): Doc {
  return { lastErrorObject: { n: 0 }, value: null };
}
