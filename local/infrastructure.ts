import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@tradepost/shared/clock';
import { newId } from '@tradepost/shared/ids';
import { StartError } from '@tradepost/shared/lifecycle';
import type { Logger } from '@tradepost/shared/logger';
import { durableQueues } from '@tradepost/shared/messaging/durableQueues';
import type { EventBus } from '@tradepost/shared/messaging/eventBus';
import { createRabbitBus } from '@tradepost/shared/messaging/rabbitBus';
import { createConnection, ensureConnected, isDatabaseUnavailable } from '@tradepost/shared/mongo';
import type { Registry } from '@tradepost/shared/observability/metrics';
import type { Connection } from 'mongoose';
import { createLocalBus } from './bus/localBus.ts';
import type { DataFolder } from './dataFolder.ts';
import { portError } from './ports.ts';
import { startDocumentStoreThread } from './store/documentStoreThread.ts';
import type { Teardown } from './teardown.ts';

/** How long servers may take to answer at the start, in milliseconds. */
const unreachableAfterMs = 10_000;
/** The same for the store in this process, which is there and has only to get its turn. */
const starvedAfterMs = 60_000;

/** Why a shop with a store of its own does not start. */
export const starved = 'The document store in this process does not answer: this machine is too busy';

/** In front of the databases' names on a server of one's own. */
const databasePrefix = 'tradepost-';

/** The address of a database on the server of `uri`, whatever database that names itself. */
export function databaseUri(uri: string, database: string): string {
  const [, server, query] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)[^?]*(\?.*)?$/.exec(uri) ?? [];
  return `${server}/${databasePrefix}${database}${query ?? ''}`;
}

/**
 * Connects to a database, and closes the connection with the teardown.
 * @param options.isOwn whether it is in the document store of this process
 * @throws StartError when none answers in time
 */
export async function connectDatabase(
  uri: string,
  database: string,
  teardown: Teardown,
  { isOwn = false, ...options }: { traced?: boolean; isOwn?: boolean } = {},
): Promise<Connection> {
  const connection = createConnection(databaseUri(uri, database), options);
  teardown.add(`connection to ${database}`, 1_000, () => connection.close());
  for (const until = performance.now() + (isOwn ? starvedAfterMs : unreachableAfterMs); ; ) {
    try {
      await ensureConnected(connection, databaseUri(uri, database));
      return connection;
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      if (performance.now() <= until) continue;
      throw isOwn ? new StartError(starved) : unreachable('MONGODB_URI: no MongoDB', uri);
    }
  }
}

/** Starts the embedded store in a thread of its own, on the folder's file or in memory. */
export async function startStore(folder: DataFolder | undefined, port: number, teardown: Teardown): Promise<string> {
  const where = folder ? { path: folder.file('store.db') } : { memory: true as const };
  const onCrash = (error: Error) => {
    // Without its database the shop is of no use, and on the next start the file is as it was committed last.
    throw error;
  };
  const store = await startDocumentStoreThread({ ...where, port, onCrash }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === undefined ? new StartError(error.message) : portError('document store', port, error);
  });
  teardown.add('document store', 2_000, () => store.close());
  return store.uri('');
}

export interface BusOptions {
  rabbitmqUrl: string | undefined;
  quorumSize: number;
  /** Where the bus in the process keeps its messages. */
  mongodbUri: string;
  /** Whether no other shop can use that database. */
  exclusive: boolean;
  logger: Logger;
  registry: Registry;
}

/** The bus of all services of the process: RabbitMQ where there is one, else in the process, on the document store. */
export async function startBus(options: BusOptions, teardown: Teardown): Promise<EventBus> {
  const { rabbitmqUrl, logger, registry } = options;
  const common = { clock: systemClock, logger, registry, random: Math.random, queues: durableQueues };
  if (rabbitmqUrl === undefined) {
    const connection = await connectDatabase(options.mongodbUri, 'bus', teardown, { isOwn: options.exclusive });
    const bus = await createLocalBus({ ...common, connection, newId, exclusive: options.exclusive });
    teardown.add('event bus', 2_000, () => bus.close());
    return bus;
  }
  const { quorumSize } = options;
  const bus = createRabbitBus({ ...common, url: rabbitmqUrl, quorumSize, name: 'tradepost' });
  teardown.add('event bus', 2_000, () => bus.close());
  for (let waitedMs = 0; bus.status() === 'down'; waitedMs += 100) {
    if (waitedMs >= unreachableAfterMs) throw unreachable('RABBITMQ_URL: no RabbitMQ', rabbitmqUrl);
    await sleep(100);
  }
  return bus;
}

/** A server that was named and is not there, as a line without its password. */
export function unreachable(what: string, uri: string): StartError {
  return new StartError(`${what} answers at ${uri.replace(/\/\/[^@/]*@/g, '//')}`);
}
