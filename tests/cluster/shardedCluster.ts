import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { until } from '../real/realShop.ts';
import { startMongod, type TestServer } from '../real/servers.ts';
import { type Answer, documents, startRouter } from '../sharding/router.ts';
import { ask } from './replicaSet.ts';

type Client = mongoose.mongo.MongoClient;

const readyLimitMs = 60_000;
const majority = { writeConcern: { w: 'majority', wtimeout: 30_000 } };

/** A real configuration server and two real shards, and in front of them a stand-in for the mongos, which does not route. */
export interface ShardedCluster {
  /** Of the router. */
  uri: string;
  /** The first shard, on which every database begins. */
  shard: string;
  /** How many chunks of a collection each shard has. */
  chunks(namespace: string): Promise<number[]>;
  close(): Promise<void>;
}

export async function startShardedCluster(): Promise<ShardedCluster> {
  const servers: TestServer[] = [];
  const clients: Client[] = [];
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of closing) await end();
    await Promise.all(clients.map(client => client.close()));
    await Promise.all(servers.map(server => server.close()));
  };
  async function start(role: '--configsvr' | '--shardsvr', name: string): Promise<Client> {
    const server = await startMongod(role, '--replSet', name);
    servers.push(server);
    const members = [{ _id: 0, host: new URL(server.url).host }];
    await ask(server, {
      replSetInitiate: { _id: name, ...(role === '--configsvr' ? { configsvr: true } : {}), members },
    });
    await until(async () => (await ask(server, { hello: 1 }))?.isWritablePrimary === true, readyLimitMs);
    const client = new mongoose.mongo.MongoClient(server.url, { directConnection: true });
    clients.push(client);
    return client;
  }
  try {
    const config = await start('--configsvr', 'config');
    const shards = [await start('--shardsvr', 'shard0'), await start('--shardsvr', 'shard1')];
    const [first] = shards as [Client, ...Client[]];
    for (const [index, server] of servers.slice(1).entries()) {
      await insist(config, { _configsvrAddShard: `shard${index}/${new URL(server.url).host}`, ...majority });
    }
    const router = await startRouter(answerFrom(config, first));
    closing.push(router.close);
    return {
      uri: router.uri,
      shard: servers[1]?.url ?? '',
      async chunks(namespace) {
        const collections = config.db('config').collection<{ _id: string; uuid: object }>('collections');
        const uuid = (await collections.findOne({ _id: namespace }))?.uuid;
        const chunks = config.db('config').collection('chunks');
        return Promise.all(shards.map((_, index) => chunks.countDocuments({ uuid, shard: `shard${index}` })));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A server that has just begun to take part is not ready for everything. */
async function insist(client: Client, command: Record<string, unknown>): Promise<void> {
  for (const end = performance.now() + readyLimitMs; ; await sleep(500)) {
    try {
      await client.db('admin').command(command);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** Passes on what a mongos does, by the commands that MongoDB 6.0 has for it between its own servers. */
function answerFrom(config: Client, shard: Client): Answer {
  const databases = config.db('config').collection<{ _id: string; version: object }>('databases');
  return async (name, command) => {
    try {
      if (name === 'enableSharding') {
        await config
          .db('admin')
          .command({ _configsvrCreateDatabase: command[name], primaryShardId: 'shard0', ...majority });
      } else if (name === 'shardCollection') {
        const [database = '', ...rest] = String(command[name]).split('.');
        const databaseVersion = (await databases.findOne({ _id: database }))?.version;
        const shardKey = command.key;
        await shard
          .db(database)
          .command({ _shardsvrCreateCollection: rest.join('.'), shardKey, databaseVersion, ...majority });
      } else if (name === 'createIndexes') {
        await shard.db(command.$db).command({ createIndexes: command[name], indexes: command.indexes });
      } else if (name === 'find' && command.$db === 'config') {
        return documents(
          'config.collections',
          await config.db('config').collection(String(command[name])).find().toArray(),
        );
      }
      return { ok: 1 };
    } catch (error) {
      const { code, codeName, message } = error as mongoose.mongo.MongoServerError;
      return { ok: 0, code, codeName, errmsg: message };
    }
  };
}
