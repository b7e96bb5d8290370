import { BSONRegExp, ObjectId } from 'bson';
import type { Engine } from '../engine.ts';
import { CODE, StoreError } from '../errors.ts';
import type { Collection } from '../storage/collection.ts';
import { readDocument } from '../values/read.ts';
import { type Doc, isDoc, type Value } from '../values/value.ts';
import { checkSize, idFirst, writeDocument } from '../values/write.ts';
import type { RawDocument } from '../wire/frame.ts';

/** The most statements one write command may have. */
export const MAX_BATCH = 100_000;

/** Throws InvalidLength unless a batch of writes has an allowed size. */
export function checkBatchSize(n: number): void {
  if (n >= 1 && n <= MAX_BATCH) return;
  throw new StoreError(
    CODE.InvalidLength,
    `Write batch sizes must be between 1 and ${MAX_BATCH}. Got ${n} operations.`,
  );
}

/** Runs the statements of a batch: each alone, the rest not at all after a failure when they are ordered. */
export function runBatch<T>(statements: readonly T[], ordered: boolean, run: (statement: T, i: number) => void): Doc[] {
  const errors: Doc[] = [];
  for (let i = 0; i < statements.length; i++) {
    try {
      run(statements[i]!, i);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      errors.push({ index: i, code: error.code, errmsg: error.message, ...(error.details as Doc | undefined) });
      if (ordered) break;
    }
  }
  return errors;
}

/** The collection, created when it is missing. */
export function collectionToWrite(engine: Engine, db: string, name: string): Collection {
  return engine.catalog.get(db, name) ?? engine.catalog.create(db, name);
}

/** Inserts a document as it came; makes an `_id` when it has none. Throws what the server refuses it with. */
export function insertDocument(collection: Collection, given: RawDocument | Doc): Doc {
  const raw = isRaw(given) ? given.bytes : undefined;
  const doc = raw ? readDocument(raw) : (given as Doc);
  if (doc._id === undefined) return insertNew(collection, { _id: new ObjectId(), ...doc });
  checkId(doc._id);
  const bytes = idFirst(raw ?? writeDocument(doc));
  checkSize(bytes.length);
  collection.insert(bytes, doc);
  return doc;
}

function insertNew(collection: Collection, doc: Doc): Doc {
  collection.insert(writeDocument(doc), doc);
  return doc;
}

function isRaw(given: RawDocument | Doc): given is RawDocument {
  return Buffer.isBuffer(given.bytes);
}

/** Throws InvalidIdField for values that cannot be an `_id`. */
export function checkId(id: Value): void {
  if (Array.isArray(id)) throw invalidId('array');
  if (id instanceof BSONRegExp) throw invalidId('regex');
  if (!isDoc(id)) return;
  const dollar = Object.keys(id).find(name => name.startsWith('$'));
  if (dollar === undefined) return;
  throw new StoreError(
    CODE.DollarPrefixedFieldName,
    `_id fields may not contain '$'-prefixed fields: ${dollar} is not valid for storage.`,
  );
}

function invalidId(type: string): StoreError {
  return new StoreError(CODE.InvalidIdField, `The '_id' value cannot be of type ${type}`);
}
