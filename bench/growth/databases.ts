import { databaseUri } from '@tradepost/local/infrastructure';
import { serviceNames } from '@tradepost/shared/discovery';
import { mongo } from 'mongoose';

export type Row = mongo.Document & { _id: string };

/** The databases of a shop's services, past the services themselves. */
export interface Databases {
  /** @param name `<service>/<collection>` */
  collection(name: string): mongo.Collection<Row>;
  /** All collections as `<service>/<collection>`. */
  names(): Promise<string[]>;
  /** Has the server write everything to its files, so that it is not still busy with it later. */
  flush(): Promise<void>;
  /** Bytes that all collections and their indexes take on disk. */
  storageBytes(): Promise<number>;
  /** Resident memory of the server in mebibytes. */
  serverMiB(): Promise<number>;
  close(): Promise<void>;
}

/** Opens the databases that the shop of a server has. Unlike the services' own connections it waits for long commands. */
export async function openDatabases(mongodbUri: string): Promise<Databases> {
  const clients = new Map(
    serviceNames.map(name => [name as string, new mongo.MongoClient(databaseUri(mongodbUri, name))]),
  );
  await Promise.all([...clients.values()].map(client => client.connect()));
  const databaseOf = (service: string): mongo.Db => {
    const client = clients.get(service);
    if (!client) throw new Error(`there is no service ${service}`);
    return client.db();
  };
  const admin = () => databaseOf('order-service').admin();
  return {
    collection(name) {
      const [service = '', collection = ''] = name.split('/');
      return databaseOf(service).collection<Row>(collection);
    },
    async names() {
      const listed = [...clients.keys()].map(async service => {
        const collections = await databaseOf(service).listCollections({}, { nameOnly: true }).toArray();
        return collections.map(({ name }) => `${service}/${name}`);
      });
      return (await Promise.all(listed)).flat().sort();
    },
    async flush() {
      await admin().command({ fsync: 1 });
    },
    async storageBytes() {
      const stats = await Promise.all([...clients.keys()].map(service => databaseOf(service).stats()));
      return stats.reduce((sum, one) => sum + Number(one.totalSize), 0);
    },
    async serverMiB() {
      return Number((await admin().serverStatus()).mem.resident);
    },
    async close() {
      await Promise.all([...clients.values()].map(client => client.close()));
    },
  };
}
