import { CODE, failedToParse, StoreError } from '../errors.ts';
import { prepareQuery, recordsToChange } from '../plan/query.ts';
import { NONE } from '../storage/collection.ts';
import { modifyRow, parseModifier, upsert } from '../update/modify.ts';
import { readDocument } from '../values/read.ts';
import { type Doc, isDoc, type Value } from '../values/value.ts';
import type { RawDocument } from '../wire/frame.ts';
import {
  boolArg,
  type Call,
  type Command,
  checkFields,
  collectionName,
  documentsArg,
  exprOf,
  missing,
  requiredDoc,
} from './call.ts';
import { checkCollation } from './generic.ts';
import { checkBatchSize, collectionToWrite, runBatch } from './writes.ts';

const STATEMENT_FIELDS = ['q', 'u', 'c', 'multi', 'upsert', 'arrayFilters', 'hint', 'collation'];

/** The update command. */
export const update: Command = {
  fields: ['updates', 'ordered', 'bypassDocumentValidation', 'let'],
  run(call): Doc {
    const name = collectionName(call);
    const statements = documentsArg(call, 'updates').map(readStatement);
    checkBatchSize(statements.length);
    for (const s of statements) checkStatement(s);
    const ordered = call.args.ordered === undefined || boolArg(call, 'ordered');
    let n = 0;
    let nModified = 0;
    const upserted: Doc[] = [];
    const writeErrors = runBatch(statements, ordered, (statement, index) => {
      const count = (modified: boolean) => {
        n++;
        if (modified) nModified++;
      };
      const id = runStatement(call, name, statement, count);
      if (id === undefined) return;
      n++;
      upserted.push({ index, _id: id });
    });
    return {
      n,
      ...(writeErrors.length > 0 ? { writeErrors } : undefined),
      ...(upserted.length > 0 ? { upserted } : undefined),
      nModified,
    };
  },
};

/** A statement of a batch, read from its bytes when it came in a document sequence. */
export function readStatement(given: RawDocument | Doc): Doc {
  return Buffer.isBuffer(given.bytes) ? readDocument(given.bytes) : (given as Doc);
}

function checkStatement(statement: Doc): void {
  checkFields('update.updates', statement, STATEMENT_FIELDS);
  if (statement.u === undefined) throw missing('update.updates.u');
  if (!isDoc(statement.u) && !Array.isArray(statement.u)) {
    throw failedToParse('Update argument must be either an object or an array');
  }
  requiredDoc('update.updates', 'q', statement.q);
  checkCollation(statement.collation);
  if (statement.c !== undefined)
    throw new StoreError(CODE.NotImplemented, "the field 'c' of an update is not supported");
}

/** Runs one statement; returns the `_id` of the document it inserted, if it did. */
function runStatement(call: Call, name: string, statement: Doc, count: (modified: boolean) => void): Value | undefined {
  const { engine } = call;
  const multi = isTrue(statement.multi);
  const modifier = parseModifier(statement.u, statement.arrayFilters, engine);
  if (multi && modifier.update.kind === 'replace') {
    throw failedToParse('multi update is not supported for replacement-style update');
  }
  const existing = engine.catalog.get(call.db, name);
  const collection = existing ?? (isTrue(statement.upsert) ? collectionToWrite(engine, call.db, name) : NONE);
  const query = prepareQuery(collection, statement.q as Doc, [], existing && statement.hint, exprOf(call));
  let found = false;
  if (existing) {
    const bounds = { limit: multi ? undefined : 1, deadline: call.deadline };
    for (const row of recordsToChange(engine.sql, query, bounds)) {
      found = true;
      count(modifyRow(engine, existing, row, query.matches, modifier).modified);
    }
  }
  if (found || !isTrue(statement.upsert)) return undefined;
  return upsert(engine, collection, query.filter, modifier)._id;
}

function isTrue(v: Value | undefined): boolean {
  return v === true || (typeof v === 'number' && v !== 0);
}
