import { StartError } from '@tradepost/shared/lifecycle';
import type { Connection } from 'mongoose';
import type { ShardKey } from './shardKeys.ts';

/** What was done with a collection. */
export type Applied = 'sharded' | 'already sharded';

/**
 * Refuses everything but a router of a sharded cluster.
 * @throws StartError that says what the server is instead
 */
export async function requireRouter(connection: Connection): Promise<void> {
  const hello = await adminOf(connection).command({ hello: 1 });
  if (hello.msg === 'isdbgrid') return;
  const what = hello.setName ? `a member of the replica set ${hello.setName}` : 'a single server';
  throw new StartError(`--uri: sharding is told to a mongos, and what answers there is ${what}`);
}

/**
 * Spreads collections of a database over the shards of its cluster, each by its key. Those that are spread by that key
 * already are left alone, so it can be repeated; documents that are there stay, and are moved by the cluster in its time.
 * @param connection to a mongos
 * @param tell hears what was done with each
 * @throws StartError when a collection is spread by another key, or the cluster refuses
 */
export async function applySharding(
  connection: Connection,
  database: string,
  keys: Readonly<Record<string, ShardKey>>,
  tell: (collection: string, key: ShardKey, applied: Applied) => void,
): Promise<void> {
  const known = await knownKeys(connection, database);
  for (const [collection, key] of Object.entries(keys)) {
    const other = known.get(collection);
    if (other && !sameKey(other, key)) {
      throw new StartError(
        `${database}.${collection} is spread by ${showKey(other)} and not by ${showKey(key)}; ` +
          'MongoDB changes that by reshardCollection, which takes a while',
      );
    }
  }
  const admin = adminOf(connection);
  await admin.command({ enableSharding: database });
  for (const [collection, key] of Object.entries(keys)) {
    if (!known.has(collection)) {
      const namespace = `${database}.${collection}`;
      try {
        // A collection that has documents must have the index before.
        await connection.getClient().db(database).collection(collection).createIndex(key);
        await admin.command({ shardCollection: namespace, key });
      } catch (error) {
        throw new StartError(`${namespace}: ${(error as Error).message}`);
      }
    }
    tell(collection, key, known.has(collection) ? 'already sharded' : 'sharded');
  }
}

/** A key as people read it: `userId (hashed), _id`. */
export const showKey = (key: ShardKey): string =>
  Object.entries(key)
    .map(([field, kind]) => (kind === 'hashed' ? `${field} (hashed)` : field))
    .join(', ');

async function knownKeys(connection: Connection, database: string): Promise<Map<string, ShardKey>> {
  const rows = await connection
    .getClient()
    .db('config')
    .collection<{ _id: string; key: Record<string, unknown>; dropped?: boolean }>('collections')
    .find()
    .toArray();
  const own = rows.filter(({ _id, dropped }) => _id.startsWith(`${database}.`) && !dropped);
  return new Map(own.map(({ _id, key }) => [_id.slice(database.length + 1), plainKey(key)]));
}

/** Numbers of a stored key may be of any of MongoDB's numeric types. */
const plainKey = (key: Record<string, unknown>): ShardKey =>
  Object.fromEntries(Object.entries(key).map(([field, kind]) => [field, kind === 'hashed' ? kind : 1]));

/** The order of the fields counts. */
const sameKey = (one: ShardKey, other: ShardKey): boolean =>
  JSON.stringify(Object.entries(one)) === JSON.stringify(Object.entries(other));

const adminOf = (connection: Connection) => connection.getClient().db('admin');
