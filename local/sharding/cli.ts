import { parseArgs } from 'node:util';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { StartError } from '@tradepost/shared/lifecycle';
import { createConnection } from '@tradepost/shared/mongo';
import { databaseUri } from '../infrastructure.ts';
import { applySharding, requireRouter, showKey } from './applySharding.ts';
import { sharding } from './shardKeys.ts';

const usage = '--uri: say mongodb://HOST:PORT, a mongos';

/** Which databases the command is about, by their services. */
interface Wanted {
  uri: string;
  databases: [service: ServiceName, database: string][];
}

/**
 * Spreads the collections that grow with orders over the shards of a cluster.
 * @param args `--uri` of a mongos; `--service` for the database of one service alone, which the address may name
 * @param print takes a line for each collection
 * @throws StartError for arguments that do not fit, a server that is no mongos, and what the cluster refuses
 */
export async function shard(args: string[], print: (line: string) => void): Promise<void> {
  const { uri, databases } = readArguments(args);
  const connection = createConnection(uri);
  try {
    await connection.asPromise().catch((error: Error) => {
      throw new StartError(`--uri: no server answers (${error.message})`);
    });
    await requireRouter(connection);
    for (const [service, database] of databases) {
      const keys = Object.entries(sharding[service].sharded).map(([name, { key }]) => [name, key] as const);
      await applySharding(connection, database, Object.fromEntries(keys), (collection, key, applied) =>
        print(`${database}.${collection}: ${applied} by ${showKey(key)}`),
      );
    }
  } finally {
    await connection.close();
  }
}

function readArguments(args: string[]): Wanted {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args, options: { uri: text, service: text } });
  const [, named] = /^mongodb(?:\+srv)?:\/\/[^/?]+(?:\/([^?]*))?/.exec(values.uri ?? '') ?? [];
  if (!values.uri || !/^mongodb(\+srv)?:\/\/[^/?]/.test(values.uri)) throw new StartError(usage);
  const databaseOf = (service: ServiceName) => new URL(databaseUri('mongodb://host', service)).pathname.slice(1);
  if (values.service === undefined) {
    return { uri: values.uri, databases: serviceNames.map(name => [name, databaseOf(name)]) };
  }
  const service = serviceNames.find(name => name === values.service);
  if (!service) throw new StartError(`--service: say one of ${serviceNames.join(', ')}`);
  return { uri: values.uri, databases: [[service, named || databaseOf(service)]] };
}
