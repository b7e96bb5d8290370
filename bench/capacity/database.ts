import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { freePorts, startServer, type TestServer } from '../../tests/real/servers.ts';

const { MongoClient } = mongoose.mongo;
type Db = mongoose.mongo.Db;

/** A MongoDB whose work can be told. */
export interface MeasuredDatabase {
  pid: number;
  version: string;
  /** Address of a database on it, as a service takes it. */
  uri(database: string): string;
  /** What it has done so far. */
  read(): Promise<DatabaseCounters>;
  /** Documents inserted, changed and deleted so far. */
  documents(): Promise<number>;
  /** Bytes from and to its clients so far; those of this question are a few hundred. */
  networkBytes(): Promise<number>;
  /** Writes everything to its data files, so that this is paid for now. */
  flush(): Promise<void>;
  collections(database: string): Promise<Collection[]>;
  close(): Promise<void>;
}

export interface DatabaseCounters {
  /** Documents inserted, changed and deleted. */
  documents: number;
  journalBytes: number;
  journalSyncs: number;
  /** Bytes that other members of a replica set would copy. */
  oplogBytes: number;
}

export interface Collection {
  name: string;
  /** Bytes of its documents. */
  bytes: number;
  /** Bytes on disk, of documents and indexes. */
  diskBytes: number;
  /** Seconds after which its documents go by themselves; undefined when they stay. */
  keptSeconds: number | undefined;
}

const startLimitMs = 30_000;

/** Starts a replica set of one member, which keeps the log that others would copy, as those of a production shop do. */
export async function startDatabase(): Promise<MeasuredDatabase> {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const client = new MongoClient(`mongodb://${address}/?directConnection=true`, { heartbeatFrequencyMS: 60_000 });
  const admin = client.db('admin');
  const server: TestServer = await startServer({
    setting: 'MONGOD_BIN',
    url: `mongodb://${address}`,
    command: folder => ({
      args: [
        ...['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--wiredTigerCacheSizeGB', '0.25'],
        ...['--replSet', 'shop', '--oplogSize', '990'],
      ],
    }),
    isUp: () => admin.command({ ping: 1 }),
  });
  const close = async () => {
    await client.close();
    await server.close();
  };
  try {
    await admin.command({ replSetInitiate: { _id: 'shop', members: [{ _id: 0, host: address }] } });
    for (const until = performance.now() + startLimitMs; ; await sleep(50)) {
      if ((await admin.command({ hello: 1 })).isWritablePrimary) break;
      if (performance.now() > until) throw new Error('MongoDB does not become a primary');
    }
    const { pid, version } = await admin.command({ serverStatus: 1 });
    return {
      ...{ pid: Number(pid), version, close },
      uri: database => `mongodb://${address}/${database}?directConnection=true`,
      read: () => readCounters(client),
      async documents() {
        const { metrics } = await admin.command({ serverStatus: 1, ...withoutSections, metrics: 1 });
        return writtenOf(metrics);
      },
      async networkBytes() {
        const { network } = await admin.command({ serverStatus: 1, ...withoutSections });
        return Number(network.physicalBytesIn) + Number(network.physicalBytesOut);
      },
      flush: async () => void (await admin.command({ fsync: 1 })),
      collections: database => readCollections(client.db(database)),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The long ones of a server's status, which as a whole is as long as the traffic of several orders. */
const withoutSections = { metrics: 0, wiredTiger: 0, tcmalloc: 0, locks: 0, transactions: 0, electionMetrics: 0 };

const writtenOf = ({ document: { inserted, updated, deleted } }: { document: Record<string, unknown> }): number =>
  Number(inserted) + Number(updated) + Number(deleted);

async function readCounters(client: mongoose.mongo.MongoClient): Promise<DatabaseCounters> {
  const { metrics, wiredTiger } = await client.db('admin').command({ serverStatus: 1 });
  const oplog = await storageOf(client.db('local'), 'oplog.rs');
  return {
    documents: writtenOf(metrics),
    journalBytes: Number(wiredTiger.log['log bytes written']),
    journalSyncs: Number(wiredTiger.log['log sync operations']),
    oplogBytes: Number(oplog.size),
  };
}

async function readCollections(database: Db): Promise<Collection[]> {
  const named = await database.listCollections({ type: 'collection' }, { nameOnly: true }).toArray();
  return Promise.all(
    named.map(async ({ name }) => {
      const [storage, indexes] = await Promise.all([storageOf(database, name), database.collection(name).indexes()]);
      return {
        name,
        bytes: Number(storage.size),
        diskBytes: Number(storage.storageSize) + Number(storage.totalIndexSize),
        keptSeconds: await keptSeconds(database, name, indexes),
      };
    }),
  );
}

/** Seconds for which an index lets documents stay; where each has its own date, those of the newest one. */
async function keptSeconds(
  database: Db,
  collection: string,
  indexes: readonly mongoose.mongo.IndexDescriptionInfo[],
): Promise<number | undefined> {
  const expiring = indexes.find(index => index.expireAfterSeconds !== undefined);
  if (!expiring?.expireAfterSeconds) {
    const [field] = Object.keys(expiring?.key ?? {});
    const newest = field ? await database.collection(collection).findOne({}, { sort: { $natural: -1 } }) : undefined;
    return field && newest ? (newest[field].getTime() - Date.now()) / 1_000 : undefined;
  }
  return expiring.expireAfterSeconds;
}

async function storageOf(database: Db, collection: string): Promise<Record<string, unknown>> {
  const stages = [{ $collStats: { storageStats: {} } }];
  const [stats] = await database.collection(collection).aggregate(stages).toArray();
  return stats?.storageStats ?? {};
}
