import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '@tradepost/shared/lifecycle';
import mongoose from 'mongoose';
import { type CollectionEntry, type Manifest, manifestFile, readManifest } from './manifest.ts';

type Db = mongoose.mongo.Db;

const { BSON } = mongoose.mongo;
const batchBytes = 4 * 1024 * 1024;
const batchDocuments = 500;
const writeConcern = { w: 'majority', j: true } as const;

/**
 * Puts a backup into an empty database: every file is checked first, then come the documents, then the indexes.
 * @param tell hears of each collection when it is there
 * @throws StartError when the database holds any collection, or the backup is incomplete or damaged: nothing is written
 */
export async function restoreDatabase(
  db: Db,
  folder: string,
  tell: (name: string, documents: number) => void = () => {},
): Promise<Manifest> {
  const file = join(folder, manifestFile);
  if (!existsSync(file)) throw new StartError(`--from: ${folder} holds no whole backup (no ${manifestFile})`);
  const manifest = readManifest(readFileSync(file, 'utf8'));
  for (const entry of manifest.collections) await check(folder, entry);
  const [there] = await db.listCollections({}, { nameOnly: true }).toArray();
  if (there) throw new StartError(`--uri: the database ${db.databaseName} is not empty, it has ${there.name}`);
  for (const entry of manifest.collections) {
    await restoreCollection(db, folder, entry);
    tell(entry.name, entry.documents);
  }
  return manifest;
}

async function check(folder: string, { file, sha256, bytes }: CollectionEntry): Promise<void> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of createReadStream(join(folder, file)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch {
    throw new StartError(`--from: ${file} cannot be read`);
  }
  if (size !== bytes || hash.digest('hex') !== sha256) throw new StartError(`--from: ${file} is not as it was written`);
}

async function restoreCollection(db: Db, folder: string, entry: CollectionEntry): Promise<void> {
  const collection = await db.createCollection(entry.name, entry.options);
  let [batch, size]: [mongoose.mongo.BSON.Document[], number] = [[], 0];
  const write = async (): Promise<void> => {
    if (batch.length > 0) await collection.insertMany(batch, { writeConcern });
    [batch, size] = [[], 0];
  };
  for await (const raw of documentsOf(join(folder, entry.file))) {
    // Numbers stay of the type that they were stored in.
    batch.push(BSON.deserialize(raw, { promoteValues: false, bsonRegExp: true }));
    size += raw.length;
    if (batch.length >= batchDocuments || size >= batchBytes) await write();
  }
  await write();
  if (entry.indexes.length === 0) return;
  const definitions = entry.indexes.map(({ v: _version, ns: _namespace, ...definition }) => definition);
  await collection.createIndexes(definitions as unknown as mongoose.mongo.IndexDescription[]);
}

/** The documents of a file, each of which begins with its length. */
async function* documentsOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readInt32LE(0);
      if (rest.length < length) break;
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
    }
  }
}
