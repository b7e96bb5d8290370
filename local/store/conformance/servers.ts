import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import mongoose from 'mongoose';
import { startDocumentStore } from '../documentStore.ts';

export type Db = mongoose.mongo.Db;
export type Collection = mongoose.mongo.Collection<Document>;
/** Any document; `_id` of any type. */
// biome-ignore lint/suspicious/noExplicitAny: the driver's documents are any
export type Document = any;

/** A server to run cases on. */
export interface TestServer {
  kind: 'embedded' | 'mongod';
  client: mongoose.mongo.MongoClient;
  uri: string;
  stop(): Promise<void>;
}

/** The servers that the suite runs on: the embedded store, and the program in MONGOD_BIN if it is set. */
export function serverKinds(): TestServer['kind'][] {
  return process.env.MONGOD_BIN ? ['embedded', 'mongod'] : ['embedded'];
}

/** Starts a server of its own, empty, and connects to it. */
export async function startServer(kind: TestServer['kind']): Promise<TestServer> {
  const { uri, stop } = await (kind === 'embedded' ? startEmbedded() : startMongod(process.env.MONGOD_BIN!));
  const client = new mongoose.mongo.MongoClient(uri, { maxPoolSize: 40 });
  await client.connect();
  return {
    kind,
    client,
    uri,
    async stop() {
      await client.close();
      await stop();
    },
  };
}

async function startEmbedded() {
  const store = await startDocumentStore({ memory: true, port: 0 });
  return { uri: store.uri(''), stop: () => store.close() };
}

async function startMongod(program: string) {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const port = await freePort();
  const args = ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1'];
  const child = spawn(program, [...args, '--wiredTigerCacheSizeGB', '0.25', '--quiet'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  await Promise.race([listening(child), ended.then(() => Promise.reject(new Error(`${program} ended`)))]);
  return {
    uri: `mongodb://127.0.0.1:${port}/?directConnection=true`,
    async stop() {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    let log = '';
    child.stdout!.on('data', (bytes: Buffer) => {
      log = log.slice(-200) + bytes.toString();
      if (log.includes('Waiting for connections')) resolve();
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** What the cases of a topic work with. */
export interface Suite {
  kind: TestServer['kind'];
  uri(): string;
  db(): Db;
  /** A collection of its own, with these documents. */
  collection(documents?: Document[]): Promise<Collection>;
}

/** Declares the cases of a topic once for every server, with the same expectations. */
export function conformance(topic: string, declare: (suite: Suite) => void): void {
  for (const kind of serverKinds()) {
    describe(`${topic} (${kind})`, () => {
      let server: TestServer;
      let collections = 0;
      before(async () => {
        server = await startServer(kind);
      });
      after(() => server.stop());
      const db = () => server.client.db('conformance');
      declare({
        kind,
        uri: () => server.uri,
        db,
        async collection(documents = []) {
          const collection: Collection = db().collection(`c${++collections}`);
          if (documents.length > 0) await collection.insertMany(documents);
          return collection;
        },
      });
    });
  }
}
