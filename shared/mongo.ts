import mongoose, {
  type Connection,
  type Model,
  type Schema,
  type SchemaDefinition,
  type SchemaOptions,
} from 'mongoose';
import { followPool } from './observability/mongoPool.ts';
import { traceCommands } from './observability/mongoSpans.ts';

/** A database that did not answer in time or is not there. */
export class DatabaseUnavailableError extends Error {
  override name = 'DatabaseUnavailableError';
}

/**
 * Schema options of every model: nothing unknown is stored or silently dropped from a filter, and indexes are built by
 * `buildIndexes` before a service is ready, never behind its back.
 */
export const schemaOptions = {
  strict: 'throw',
  strictQuery: 'throw',
  autoIndex: false,
  autoCreate: false,
  bufferCommands: false,
  versionKey: false,
  minimize: false,
} as const satisfies SchemaOptions;

const connectOptions = {
  bufferCommands: false,
  autoIndex: false,
  autoCreate: false,
  maxPoolSize: 20,
  minPoolSize: 1,
  waitQueueTimeoutMS: 1_000,
  // Less than the 3 s that a request has, so that its answer says what is not there.
  serverSelectionTimeoutMS: 2_000,
  connectTimeoutMS: 2_000,
  socketTimeoutMS: 10_000,
  heartbeatFrequencyMS: 2_000,
  maxIdleTimeMS: 60_000,
  retryWrites: false,
  writeConcern: { w: 'majority', journal: true },
} as const;

/**
 * Opens a connection of its own (no global mongoose state) that acknowledges writes from the journal and never queues
 * operations without bound. The driver reconnects by itself.
 * @param uri MongoDB connection string with the database's name
 * @param options.traced makes a span of each command of a traced request
 */
export function createConnection(uri: string, options: { traced?: boolean } = {}): Connection {
  const monitorCommands = options.traced === true;
  const connection = mongoose.createConnection(uri, { ...connectOptions, monitorCommands });
  if (monitorCommands) traceCommands(connection);
  // Without a listener a lost server would end the process; every operation reports the loss to its own caller.
  connection.on('error', () => {});
  followPool(connection);
  return connection;
}

/**
 * Waits until the connection is up; connects again when the first attempt has failed, which the driver does not by itself.
 * Rejects when the server is not there within its selection time.
 */
export async function ensureConnected(connection: Connection, uri: string): Promise<void> {
  if (connection.readyState !== mongoose.ConnectionStates.disconnected) {
    await connection.asPromise();
    return;
  }
  const monitorCommands = connection.listenerCount('commandStarted') > 0;
  await connection.openUri(uri, { ...connectOptions, monitorCommands });
}

// Mongoose's own types of the two calls below compare the whole schema with every overload, which takes a checker of types
// two seconds for each model. `never` spares it that; what is passed in and what comes out is typed here.

/** A schema whose paths are those of `T`. */
export const createSchema = <T>(definition: SchemaDefinition<T>, options: SchemaOptions): Schema<T> =>
  new mongoose.Schema(definition as never, options as never) as never;

/** The model of a connection with this name, in the collection of that name's plural unless another is given. */
export const createModel = <T>(
  connection: Connection,
  name: string,
  schema: Schema<T>,
  collection?: string,
): Model<T> => connection.model<T>(name, schema as never, collection);

/** Builds the indexes of all models of the connection; safe to repeat. Rejects when an index cannot be built. */
export async function buildIndexes(connection: Connection): Promise<void> {
  for (const model of Object.values(connection.models)) await model.createIndexes();
}

/** Whether the error is MongoDB's refusal of a duplicate key (11000). */
export function isDuplicateKey(error: unknown): error is Error & { code: 11000; keyPattern?: Record<string, unknown> } {
  return error instanceof Error && (error as { code?: unknown }).code === 11000;
}

/** Errors beside the driver's MongoNetworkError, of which there are several kinds, also of its connection pools. */
const unavailableNames = new Set([
  'MongoServerSelectionError',
  'MongoWaitQueueTimeoutError',
  'MongooseServerSelectionError',
  'MongoPoolClosedError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoOperationTimeoutError',
]);
/** A server that is just going down or was just asked to: ShutdownInProgress, InterruptedAtShutdown and their like. */
const shuttingDownCodes = new Set<unknown>([91, 11_600, 11_602, 10_107, 13_435, 13_436, 189]);

/** Whether the database could not be reached or did not answer in time, so that a write's outcome may be unknown. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof DatabaseUnavailableError || unavailableNames.has(error.name)) return true;
  if (error instanceof mongoose.mongo.MongoNetworkError) return true;
  if (error.name === 'MongoServerError' && shuttingDownCodes.has((error as { code?: unknown }).code)) return true;
  // The driver wraps a connection that broke in the middle of a bulk write; refused documents it names one by one.
  if (error.name === 'MongoBulkWriteError')
    return [(error as { writeErrors?: unknown }).writeErrors ?? []].flat().length === 0;
  // With bufferCommands off mongoose throws a plain MongooseError before the first connection is up.
  return error.name === 'MongooseError' && /before initial connection|bufferCommands/.test(error.message);
}
