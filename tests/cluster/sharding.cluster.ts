import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { databaseUri } from '@tradepost/local/infrastructure';
import { readSettings } from '@tradepost/local/settings';
import { applySharding } from '@tradepost/local/sharding/applySharding';
import { shard } from '@tradepost/local/sharding/cli';
import { type ShardKey, sharding } from '@tradepost/local/sharding/shardKeys';
import { type Shop, startShop } from '@tradepost/local/startShop';
import type { ServiceName } from '@tradepost/shared/discovery';
import { createConnection } from '@tradepost/shared/mongo';
import type { Connection, mongo } from 'mongoose';
import { type ShardedCluster, startShardedCluster } from './shardedCluster.ts';

describe('real shards and their configuration server take what npm run shard says', () => {
  let [cluster, shop]: [ShardedCluster, Shop] = [] as never;
  const connections: Connection[] = [];
  const connect = async (uri: string): Promise<mongo.MongoClient> => {
    const connection = await createConnection(uri).asPromise();
    connections.push(connection);
    return connection.getClient();
  };
  before(async () => {
    cluster = await startShardedCluster();
    shop = await startShop({ ...readSettings({}, ['--memory']), gatewayPort: 0 }, () => {});
  });
  after(async () => {
    await Promise.all(connections.map(connection => connection.close()));
    await shop?.stop();
    await cluster?.close();
  });

  /** The indexes that a service has built on a collection of the shop. */
  async function indexesOf(service: ServiceName, collection: string) {
    const source = (await connect(databaseUri(shop.mongodbUri, service))).db();
    const found = await source.collection(collection).indexes();
    return { source, indexes: found.filter(({ name }) => name !== '_id_').map(({ v: _, ...index }) => index) };
  }

  /** Puts a collection of the shop, with its indexes and documents, on the first shard, where it is whole as yet. */
  async function grow(database: string, service: ServiceName, collection: string): Promise<void> {
    const { source, indexes } = await indexesOf(service, collection);
    const target = (await connect(`${cluster.shard}/?directConnection=true`)).db(database).collection(collection);
    for (const { key, ...options } of indexes) await target.createIndex(key, options);
    const documents = await source.collection(collection).find().toArray();
    if (documents.length > 0) await target.insertMany(documents);
  }

  async function spread(database: string, keys: Record<string, ShardKey>): Promise<string[]> {
    const router = await createConnection(cluster.uri).asPromise();
    connections.push(router);
    const lines: string[] = [];
    await applySharding(router, database, keys, (name, _key, applied) => lines.push(`${name} ${applied}`));
    return lines;
  }

  async function run(): Promise<string[]> {
    const lines: string[] = [];
    await shard(['--uri', cluster.uri], line => lines.push(line));
    return lines;
  }

  test('before the shop has ever run: everything is spread over both shards at once', async () => {
    for (const line of await run()) assert.match(line, /: sharded by /);
    for (const [service, { sharded }] of Object.entries(sharding)) {
      for (const name of Object.keys(sharded)) {
        const chunks = await cluster.chunks(`tradepost-${service}.${name}`);
        assert.ok(
          chunks.every(count => count > 0),
          `${service}.${name}: ${chunks}`,
        );
      }
    }
  });

  test('once more: everything is as it should be', async () => {
    for (const line of await run()) assert.match(line, /: already sharded by /);
  });

  for (const [service, { sharded }] of Object.entries(sharding) as [ServiceName, (typeof sharding)[ServiceName]][]) {
    if (Object.keys(sharded).length === 0) continue;
    test(`beside the indexes and documents of ${service}: no unique index stands against a key`, async () => {
      for (const name of Object.keys(sharded)) await grow(`grown-${service}`, service, name);
      const keys = Object.fromEntries(Object.entries(sharded).map(([name, { key }]) => [name, key]));
      const lines = await spread(`grown-${service}`, keys);
      assert.deepEqual(
        lines,
        Object.keys(sharded).map(name => `${name} sharded`),
      );
    });
  }

  const against: [collection: string, key: ShardKey][] = [
    ['sagas', { _id: 'hashed' }],
    ['events', { _id: 'hashed' }],
    ['events', { orderId: 'hashed', at: 1 }],
  ];
  for (const [index, [collection, key]] of against.entries()) {
    test(`a key that a unique index stands against is refused: ${collection} by ${Object.keys(key)}`, async () => {
      const database = `against-${index}`;
      await grow(database, 'order-service', collection);
      await assert.rejects(spread(database, { [collection]: key }), /unique index/);
    });
  }
});
