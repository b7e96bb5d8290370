import { createRequire } from 'node:module';
import mongoose, { type Connection } from 'mongoose';

// What the driver sends and understands is made by itself; only its sockets are left out.
const require = createRequire(createRequire(import.meta.url).resolve('mongoose'));
const { OpMsgRequest } = require('mongodb/lib/cmap/commands.js') as {
  OpMsgRequest: new (database: string, command: object, options: object) => { toBin(): Uint8Array[] };
};
const { MongoDBResponse } = require('mongodb/lib/cmap/wire_protocol/responses.js') as { MongoDBResponse: ResponseType };

interface ResponseType {
  make(bson: Uint8Array): { ok: 0 | 1; toObject(options?: object): object };
}

/** An operation of the driver, as its servers see it. */
interface Operation {
  ns: { db: string };
  session: object;
  bsonOptions: object;
  SERVER_COMMAND_RESPONSE_TYPE?: ResponseType;
  buildCommand(connection: object, session: object): object;
}

const limits = { maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 };
const description = { type: 'Standalone', maxWireVersion: 21, minWireVersion: 0, ...limits };

/**
 * A mongoose connection whose driver talks to a function instead of a server: without sockets, sessions and pools, which
 * cost most of a command's time. It is open at once and keeps nothing, so that one serves any number of worlds.
 * @param exchange takes a command as it would go over the wire and resolves with the BSON of its answer
 */
export function openConnection(database: string, exchange: (frame: Buffer) => Promise<Uint8Array>): Connection {
  const server = {
    description,
    async command(operation: Operation) {
      const command = operation.buildCommand(server, operation.session);
      const request = new OpMsgRequest(operation.ns.db, command, operation.bsonOptions);
      const bytes = await exchange(Buffer.concat(request.toBin()));
      const type = operation.SERVER_COMMAND_RESPONSE_TYPE;
      const response = (type ?? MongoDBResponse).make(bytes);
      if (response.ok === 0) throw new mongoose.mongo.MongoServerError(response.toObject());
      return type ? response : response.toObject(operation.bsonOptions);
    },
  };
  const client = new mongoose.mongo.MongoClient(`mongodb://simulated/${database}`);
  const topology = {
    description,
    s: { options: { retryReads: false, retryWrites: false }, servers: new Map() },
    lastHello: () => limits,
    selectServer: async () => server,
    close() {},
  };
  Object.assign(client, { topology });
  return mongoose.createConnection().setClient(client as never);
}
