import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { startDocumentStore } from './documentStore.ts';
import { startDocumentStoreThread } from './documentStoreThread.ts';

const { MongoClient } = mongoose.mongo;

interface Killed {
  child: ChildProcess;
  uri: string;
}

function startProcess(path: string): Promise<Killed> {
  const program = fileURLToPath(new URL('./storeProcess.ts', import.meta.url));
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the store's process ended with ${code}`)));
    child.stdout!.once('data', (port: Buffer) => {
      resolve({ child, uri: `mongodb://127.0.0.1:${Number(port)}/test?directConnection=true` });
    });
  });
}

function kill({ child }: Killed): Promise<void> {
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  return ended;
}

describe('durability', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durability-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('keeps every acknowledged write when the process is killed, and no half of any', async () => {
    const path = join(folder, 'killed.db');
    const inserted = new Set<number>();
    const increments = new Map<number, { acknowledged: number; sent: number }>();
    let next = 0;

    for (let round = 0; round < 4; round++) {
      const running = await startProcess(path);
      const client = await MongoClient.connect(running.uri, { serverSelectionTimeoutMS: 500, retryWrites: false });
      const c = client.db().collection<{ _id: number; n: number; tags: string[] }>('c');
      await c.createIndex({ tags: 1 });
      await c.createIndex({ n: 1, _id: -1 });
      const target = inserted.size + 300;
      let dead = false;
      const write = async () => {
        while (!dead) {
          const _id = next++;
          await c.insertOne({ _id, n: 0, tags: [`t${_id % 5}`, `u${_id}`] });
          inserted.add(_id);
          const count = { acknowledged: 0, sent: 1 };
          increments.set(_id, count);
          await c.updateOne({ _id, n: 0 }, { $inc: { n: 1 }, $push: { tags: 'updated' } });
          count.acknowledged = 1;
          if (inserted.size >= target && !dead) {
            dead = true;
            await kill(running);
          }
        }
      };
      await Promise.allSettled(Array.from({ length: 12 }, write));
      await client.close(true);
    }

    const store = await startDocumentStore({ path, port: 0 });
    const client = await MongoClient.connect(store.uri('test'));
    const found = await client.db().collection<{ _id: number; n: number; tags: string[] }>('c').find().toArray();
    const byId = new Map(found.map(d => [d._id, d]));
    assert.ok(inserted.size >= 1200);
    for (const _id of inserted) assert.ok(byId.has(_id), `the acknowledged insert of ${_id} is lost`);
    for (const [_id, { acknowledged, sent }] of increments) {
      const { n, tags } = byId.get(_id)!;
      assert.ok(n >= acknowledged && n <= sent, `document ${_id}: n = ${n}`);
      assert.equal(tags.includes('updated'), n === 1, `document ${_id} is half updated`);
    }
    // Each index finds what the collection has.
    const c = client.db().collection('c');
    assert.equal(await c.countDocuments({ tags: 'updated' }), found.filter(d => d.n === 1).length);
    assert.equal(await c.countDocuments({ n: { $gte: 0 } }), found.length);
    await client.close();
    await store.close();
    const file = new DatabaseSync(path);
    assert.equal(file.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
    file.close();
  });

  it('is locked against a second process until the first is killed', async () => {
    const path = join(folder, 'locked.db');
    const running = await startProcess(path);
    const message = `cannot open the document store ${path}: another process has it open`;
    await assert.rejects(startDocumentStore({ path, port: 0 }), { message });
    await assert.rejects(startDocumentStoreThread({ path, port: 0 }), { message });
    await kill(running);
    await (await startDocumentStore({ path, port: 0 })).close();
  });
});
