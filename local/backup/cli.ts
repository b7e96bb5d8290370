import { parseArgs } from 'node:util';
import { StartError } from '@tradepost/shared/lifecycle';
import { createConnection } from '@tradepost/shared/mongo';
import type mongoose from 'mongoose';
import { runClient } from '../reachShop.ts';
import { databaseAddress, type Manifest } from './manifest.ts';

type Work = (
  db: mongoose.mongo.Db,
  folder: string,
  tell: (name: string, documents: number) => void,
) => Promise<Manifest>;

/**
 * Runs `backup` or `restore` on the database of `--uri` and the folder of the other argument.
 * @param folderOption its name, as `out`
 */
export function runOnDatabase(folderOption: 'out' | 'from', done: string, work: Work): Promise<void> {
  return runClient(async () => {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { uri: text, [folderOption]: text } });
    const { uri } = databaseAddress(values.uri);
    const folder = values[folderOption];
    if (typeof folder !== 'string' || folder === '') throw new StartError(`--${folderOption}: say a folder`);
    const connection = createConnection(uri);
    try {
      await connection.asPromise().catch((error: Error) => {
        throw new StartError(`--uri: no database answers (${error.message})`);
      });
      const tell = (name: string, documents: number) => void process.stdout.write(`${name}: ${documents} documents\n`);
      const { collections } = await work(connection.db as mongoose.mongo.Db, folder, tell);
      process.stdout.write(`${done}: ${collections.length} collections\n`);
    } finally {
      await connection.close();
    }
  });
}
