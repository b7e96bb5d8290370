import { badValue, CODE, failedToParse, notSupported, StoreError } from '../errors.ts';
import type { Deadline } from '../plan/query.ts';
import { asInteger } from '../values/numbers.ts';
import { type Doc, isDoc, isNumeric, type Value } from '../values/value.ts';

/** The fields every command may have. */
const GENERIC = new Set([
  '$db',
  '$readPreference',
  '$clusterTime',
  'lsid',
  'comment',
  'maxTimeMS',
  'readConcern',
  'writeConcern',
  'collation',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
  'txnNumber',
  'startTransaction',
  'autocommit',
]);

/** The name the server has for a command's arguments in its messages. */
const OWNERS: Record<string, string> = { find: 'FindCommandRequest' };

/** Throws for arguments that no command has, for those `known` does not name, and for what the store cannot do. */
export function checkGeneric(name: string, args: Doc, known: readonly string[]): void {
  for (const field of Object.keys(args)) {
    if (field === name || GENERIC.has(field) || known.includes(field)) continue;
    throw new StoreError(40415, `BSON field '${OWNERS[name] ?? name}.${field}' is an unknown field.`);
  }
  if (args.txnNumber !== undefined || args.startTransaction !== undefined || args.autocommit !== undefined) {
    throw new StoreError(
      CODE.IllegalOperation,
      'Transaction numbers are only allowed on a replica set member or mongos',
    );
  }
  checkCollation(args.collation);
  checkReadConcern(args.readConcern);
  checkWriteConcern(args.writeConcern);
  if (args.apiVersion !== undefined && args.apiVersion !== '1') {
    throw new StoreError(322, 'API version must be "1"');
  }
}

/** Refuses any collation but the binary comparison there is. */
export function checkCollation(collation: Value | undefined): void {
  if (collation === undefined || (isDoc(collation) && Object.keys(collation).length === 0)) return;
  if (isDoc(collation) && collation.locale === 'simple') return;
  throw notSupported('a collation other than { locale: "simple" }');
}

function checkReadConcern(readConcern: Value | undefined): void {
  if (readConcern === undefined) return;
  if (!isDoc(readConcern)) throw new StoreError(CODE.TypeMismatch, 'readConcern must be an object');
  const { level } = readConcern;
  if (level === undefined || level === 'local' || level === 'majority' || level === 'available') return;
  if (level === 'snapshot') {
    throw new StoreError(123, 'node needs to be a replica set member to use readConcern: snapshot');
  }
  if (level === 'linearizable') {
    throw new StoreError(123, 'node needs to be a replica set member to use read concern');
  }
  throw failedToParse(
    "readConcern.level must be either 'local', 'majority', 'linearizable', 'available', or 'snapshot'",
  );
}

/** Everything is journaled before it is answered, so any concern that a single node can meet is met. */
function checkWriteConcern(writeConcern: Value | undefined): void {
  if (writeConcern === undefined) return;
  if (!isDoc(writeConcern)) throw new StoreError(CODE.TypeMismatch, 'writeConcern must be an object');
  const { w } = writeConcern;
  if (w === undefined || w === 'majority') return;
  const n = asInteger(w);
  if (n === 0 || n === 1) return;
  throw badValue("cannot use 'w' > 1 when a host is not replicated");
}

/** The time until which a command may run, from its `maxTimeMS`. */
export function deadlineOf(maxTimeMS: Value | undefined): Deadline | undefined {
  if (maxTimeMS === undefined) return undefined;
  if (!isNumeric(maxTimeMS)) throw badValue('maxTimeMS must be a number');
  const ms = asInteger(maxTimeMS);
  if (ms === undefined || ms < 0 || ms > 0x7fffffff) {
    throw badValue(`${String(maxTimeMS)} value for maxTimeMS is out of range`);
  }
  return ms === 0 ? undefined : { at: performance.now() + ms };
}
