import { failedToParse } from '../errors.ts';
import { prepareQuery, recordsToChange } from '../plan/query.ts';
import { NONE } from '../storage/collection.ts';
import { asInteger } from '../values/numbers.ts';
import { readDocument } from '../values/read.ts';
import type { Doc } from '../values/value.ts';
import {
  boolArg,
  type Command,
  checkFields,
  collectionName,
  documentsArg,
  exprOf,
  missing,
  requiredDoc,
} from './call.ts';
import { checkCollation } from './generic.ts';
import { readStatement } from './update.ts';
import { checkBatchSize, runBatch } from './writes.ts';

/** The delete command. */
export const remove: Command = {
  fields: ['deletes', 'ordered', 'let'],
  run(call): Doc {
    const { engine } = call;
    const name = collectionName(call);
    const statements = documentsArg(call, 'deletes').map(readStatement);
    checkBatchSize(statements.length);
    for (const s of statements) checkStatement(s);
    const ordered = call.args.ordered === undefined || boolArg(call, 'ordered');
    const collection = engine.catalog.get(call.db, name);
    let n = 0;
    const writeErrors = runBatch(statements, ordered, statement => {
      const query = prepareQuery(
        collection ?? NONE,
        statement.q as Doc,
        [],
        collection && statement.hint,
        exprOf(call),
      );
      if (!collection) return;
      const limit = asInteger(statement.limit) || undefined;
      for (const row of recordsToChange(engine.sql, query, { limit, deadline: call.deadline })) {
        collection.remove(row.rid, collection.keysOf(row.doc ?? readDocument(row.bytes)));
        n++;
      }
    });
    return writeErrors.length > 0 ? { n, writeErrors } : { n };
  },
};

function checkStatement(statement: Doc): void {
  checkFields('delete.deletes', statement, ['q', 'limit', 'hint', 'collation']);
  if (statement.limit === undefined) throw missing('delete.deletes.limit');
  const limit = asInteger(statement.limit);
  if (limit !== 0 && limit !== 1) {
    throw failedToParse(`The limit field in delete objects must be 0 or 1. Got ${String(statement.limit)}`);
  }
  requiredDoc('delete.deletes', 'q', statement.q);
  checkCollation(statement.collation);
}
