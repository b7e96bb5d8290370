import type { Doc } from '../values/value.ts';
import { boolArg, type Command, collectionName, documentsArg } from './call.ts';
import { checkBatchSize, collectionToWrite, insertDocument, runBatch } from './writes.ts';

/** The insert command. */
export const insert: Command = {
  fields: ['documents', 'ordered', 'bypassDocumentValidation'],
  run(call): Doc {
    const name = collectionName(call);
    const documents = documentsArg(call, 'documents');
    checkBatchSize(documents.length);
    const collection = collectionToWrite(call.engine, call.db, name);
    const ordered = call.args.ordered === undefined || boolArg(call, 'ordered');
    let n = 0;
    const writeErrors = runBatch(documents, ordered, document => {
      insertDocument(collection, document);
      n++;
    });
    return writeErrors.length > 0 ? { n, writeErrors } : { n };
  },
};
