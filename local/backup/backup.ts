import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StartError } from '@tradepost/shared/lifecycle';
import type mongoose from 'mongoose';
import { type CollectionEntry, type Manifest, manifestFile } from './manifest.ts';

type Db = mongoose.mongo.Db;

/**
 * Copies a database into a folder: per collection a file of BSON documents one after the other, as they are stored, and a
 * manifest with the indexes. What changes meanwhile may be in it or not; for a copy of one moment, stop who writes.
 * @param tell hears of each collection when it is copied
 * @throws StartError when the folder holds anything
 */
export async function backupDatabase(
  db: Db,
  folder: string,
  tell: (name: string, documents: number) => void = () => {},
): Promise<Manifest> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0) throw new StartError(`--out: ${folder} is not empty`);
  const collections: CollectionEntry[] = [];
  const found = await db.listCollections({}, { nameOnly: false }).toArray();
  for (const { name, type, options } of found.toSorted((a, b) => (a.name < b.name ? -1 : 1)) as Listed[]) {
    if ((type ?? 'collection') !== 'collection' || name.startsWith('system.')) continue;
    const entry = await copyCollection(db, name, options ?? {}, folder);
    collections.push(entry);
    tell(name, entry.documents);
  }
  const manifest: Manifest = { format: 1, database: db.databaseName, madeAt: new Date().toISOString(), collections };
  writeFileSync(join(folder, manifestFile), `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 });
  return manifest;
}

interface Listed {
  name: string;
  type?: string;
  options?: Record<string, unknown>;
}

async function copyCollection(
  db: Db,
  name: string,
  options: Record<string, unknown>,
  folder: string,
): Promise<CollectionEntry> {
  const collection = db.collection(name);
  const file = `${encodeURIComponent(name)}.bson`;
  const hash = createHash('sha256');
  let [documents, bytes] = [0, 0];
  async function* stored(): AsyncGenerator<Buffer> {
    // As bytes: nothing is lost on the way through types of JavaScript.
    for await (const document of collection.find({}, { raw: true, sort: { _id: 1 } })) {
      const raw = Buffer.from(document as unknown as Uint8Array);
      documents += 1;
      bytes += raw.length;
      hash.update(raw);
      yield raw;
    }
  }
  await pipeline(Readable.from(stored()), createWriteStream(join(folder, file), { mode: 0o600 }));
  const indexes = (await collection.indexes()).filter(({ name }) => name !== '_id_') as CollectionEntry['indexes'];
  return { name, file, documents, bytes, sha256: hash.digest('hex'), options, indexes };
}
