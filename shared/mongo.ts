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
  // Of a replica set; a single server has nobody to try again at, and is its own majority. Stated here, since these count
  // more than the options of an address, which must not weaken them.
  retryWrites: true,
  retryReads: true,
  readPreference: 'primary',
  readConcernLevel: 'local',
  w: 'majority',
  journal: true,
  // Less than a socket may be silent, so that a missing majority is told by the server.
  wtimeoutMS: 5_000,
} as const;

/**
 * Read concern of what is only shown: nothing that a failover takes back. What is acted on is read as the primary has it,
 * which every acknowledged write is in at any moment, and made sure of by a write (see `connectOptions`); a majority may
 * be behind that just after an election.
 */
export const shown = 'majority';

/**
 * Opens a connection of its own (no global mongoose state) that acknowledges writes from the journals of a majority of the
 * replica set, or of the single server there is, and never queues operations without bound. The driver reconnects by
 * itself, and finds the next primary. It repeats a write once under a number by which servers do it once.
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
  // Made by one server and not known to be with a majority of them: a failover may take it back.
  'MongoWriteConcernError',
]);

/** Codes by which a server says that it, or another that it needs, is not there or not primary now. */
const unavailableCodes = new Set<unknown>([
  ...[91, 11_600], // ShutdownInProgress, InterruptedAtShutdown
  ...[189, 10_107, 11_602, 13_435, 13_436, 10_058], // PrimarySteppedDown, NotWritablePrimary and their like
  ...[6, 7, 89, 9_001], // HostUnreachable, HostNotFound, NetworkTimeout, SocketException: a mongos and its shard
  ...[63, 150, 13_388], // StaleShardVersion, StaleEpoch, StaleConfig: data is moving between shards
  ...[43, 175, 237], // CursorNotFound, QueryPlanKilled, CursorKilled: the server that was reading is another one now
  ...[50, 133, 134, 262], // MaxTimeMSExpired, FailedToSatisfyReadPreference, ReadConcernMajorityNotAvailableYet, ExceededTimeLimit
  ...[64, 100], // WriteConcernTimeout, UnsatisfiableWriteConcern
]);

/**
 * Whether the database could not be reached, changed its primary or did not answer in time, so that a write's outcome is
 * unknown: it may be there now, later or never.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof DatabaseUnavailableError || unavailableNames.has(error.name)) return true;
  if (error instanceof mongoose.mongo.MongoNetworkError) return true;
  if (error.name === 'MongoServerError' && hasUnavailableCode(error)) return true;
  // The driver wraps what broke in the middle of a bulk write; refused documents it names one by one.
  if (error.name === 'MongoBulkWriteError') {
    const refused = [(error as { writeErrors?: unknown }).writeErrors ?? []].flat();
    return refused.length === 0 || refused.some(hasUnavailableCode);
  }
  // With bufferCommands off mongoose throws a plain MongooseError before the first connection is up.
  return error.name === 'MongooseError' && /before initial connection|bufferCommands/.test(error.message);
}

const hasUnavailableCode = (error: unknown): boolean => unavailableCodes.has((error as { code?: unknown }).code);
