import { existsSync } from 'node:fs';
import type { Environment } from '@tradepost/shared/config';
import { StartError } from '@tradepost/shared/lifecycle';
import { silentLogger } from '@tradepost/shared/logger';
import type { Connection } from 'mongoose';
import { DataFolderInUseError, openDataFolder, readSecrets, type Secrets } from './dataFolder.ts';
import { connectDatabase, startStore } from './infrastructure.ts';
import { runClient } from './reachShop.ts';
import { readSettings } from './settings.ts';
import { createTeardown, type Teardown } from './teardown.ts';

/** What a command works on: the databases of a shop, running or not. */
export interface OpenShop {
  /** Opens the database of a service. */
  connect(service: string): Promise<Connection>;
  secrets: Secrets;
}

/**
 * Runs work on the shop of DATA_DIR: on the store of the shop that is running there, on the server of MONGODB_URI, or on
 * the folder's own store, opened for as long as the work takes.
 * @throws StartError when there is no shop
 */
export async function withShop<T>(environment: Environment, work: (shop: OpenShop) => Promise<T>): Promise<T> {
  const teardown = createTeardown(silentLogger());
  try {
    const settings = readSettings(environment, []);
    const path = settings.dataDir ?? '';
    if (!existsSync(path)) throw new StartError(`DATA_DIR: there is no ${path}; npm start makes one`);
    const uri = await databaseServer(path, settings.mongodbUri, teardown);
    return await work({
      connect: service => connectDatabase(uri, service, teardown),
      secrets: readSecrets(path),
    });
  } finally {
    await teardown.run();
  }
}

async function databaseServer(path: string, mongodbUri: string | undefined, teardown: Teardown): Promise<string> {
  try {
    const folder = openDataFolder(path);
    teardown.add('data folder', 1_000, async () => folder.release());
    return mongodbUri ?? (await startStore(folder, 0, teardown));
  } catch (error) {
    if (!(error instanceof DataFolderInUseError)) throw error;
    if (!error.shop) throw new StartError(`DATA_DIR: the shop of ${path} is just starting; try again in a moment`);
    return error.shop.mongodbUri;
  }
}

/** Runs a command of the command line: its result is what it prints, what the person can mend is said in one line. */
export function runCommand(work: (shop: OpenShop) => Promise<string>): Promise<void> {
  return runClient(async () => {
    process.stdout.write(`${await withShop(process.env, work)}\n`);
  });
}
