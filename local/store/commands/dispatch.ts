import type { Engine } from '../engine.ts';
import { badValue, CODE, codeName, notSupported, StoreError } from '../errors.ts';
import type { Doc } from '../values/value.ts';
import type { Request } from '../wire/frame.ts';
import { encode } from '../wire/reply.ts';
import { aggregate } from './aggregate.ts';
import type { Command } from './call.ts';
import { CATALOG } from './catalogCommands.ts';
import { count, distinct } from './count.ts';
import { createIndexes } from './createIndexes.ts';
import { remove } from './delete.ts';
import { explain } from './explain.ts';
import { find, getMore, killCursors } from './find.ts';
import { findAndModify } from './findAndModify.ts';
import { checkGeneric, deadlineOf } from './generic.ts';
import { HANDSHAKE } from './handshake.ts';
import { insert } from './insert.ts';
import { update } from './update.ts';

const COMMANDS: Record<string, Command> = {
  ...HANDSHAKE,
  ...CATALOG,
  insert,
  find,
  getMore,
  killCursors,
  update,
  delete: remove,
  findAndModify,
  findandmodify: findAndModify,
  aggregate,
  explain,
  count,
  distinct,
  createIndexes,
};

/** Commands of the server that are refused by name, so that nobody takes a refusal for a misspelling. */
const REFUSED = [
  'saslStart',
  'saslContinue',
  'authenticate',
  'logout',
  'commitTransaction',
  'abortTransaction',
  'mapReduce',
  'collMod',
  'renameCollection',
  'validate',
  'bulkWrite',
  'cloneCollectionAsCapped',
  'convertToCapped',
  'createUser',
  'usersInfo',
  'replSetGetStatus',
  'compact',
  'reIndex',
  'fsync',
  'currentOp',
  'killOp',
  'shutdown',
];

/** Executes a request and encodes its answer; failures of SQLite are thrown, all others are answers. */
export function execute(engine: Engine, request: Request, connectionId: number): Buffer {
  try {
    return run(engine, request, connectionId);
  } catch (error) {
    if (error instanceof StoreError) return encodeError(error);
    throw error;
  }
}

function run(engine: Engine, request: Request, connectionId: number): Buffer {
  const { command: args, db, sequences } = request;
  const name = Object.keys(args)[0] ?? '';
  if (!/^[^\0. "$\\/]{1,63}$/.test(db)) throw new StoreError(CODE.InvalidNamespace, `Invalid database name: '${db}'`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw unknownCommand(name);
  if (request.legacy && !/^(hello|ismaster)$/i.test(name)) {
    throw new StoreError(352, `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`);
  }
  checkGeneric(name, args, command.fields);
  for (const field of sequences.keys()) {
    if (args[field] !== undefined) throw badValue(`the field '${field}' is given twice`);
    if (!command.fields.includes(field))
      throw new StoreError(40415, `BSON field '${name}.${field}' is an unknown field.`);
  }
  const deadline = deadlineOf(args.maxTimeMS);
  const answer = command.run({ engine, db, name, args, sequences, connectionId, deadline });
  return Buffer.isBuffer(answer) ? answer : encode({ ...answer, ok: 1 });
}

function unknownCommand(name: string): StoreError {
  if (REFUSED.includes(name)) {
    const { message } = notSupported(`the command ${name}`);
    return new StoreError(CODE.CommandNotSupported, message);
  }
  return new StoreError(CODE.CommandNotFound, `no such command: '${name}'`);
}

/** The answer to a command that failed. */
export function encodeError(error: unknown): Buffer {
  const known = error instanceof StoreError;
  const code = known ? error.code : CODE.InternalError;
  const errmsg = known ? error.message : `the document store failed: ${(error as Error).message}`;
  const answer: Doc = {
    ok: 0,
    errmsg,
    code,
    codeName: codeName(code),
    ...(known ? (error.details as Doc) : undefined),
  };
  return encode(answer);
}
