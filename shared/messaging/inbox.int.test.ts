import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import type { Connection } from 'mongoose';
import { systemClock } from '../clock.ts';
import { newId } from '../ids.ts';
import { buildIndexes, createConnection, isDuplicateKey } from '../mongo.ts';
import { numbers } from '../testing/busSuiteTools.ts';
import { createInbox, type Inbox } from './inbox.ts';

describe('inbox', () => {
  let database: Awaited<ReturnType<typeof startTestDatabase>>;
  let connection: Connection;
  let inbox: Inbox;
  before(async () => {
    database = await startTestDatabase();
    connection = createConnection(database.uri('inbox'));
    await connection.asPromise();
    inbox = createInbox(connection, systemClock);
    await buildIndexes(connection);
  });
  after(async () => {
    await connection.close();
    await database.close();
  });

  test('runs the effect of a message once per consumer', async () => {
    const message = { id: newId() };
    const ran: string[] = [];
    const run = (consumer: string) => inbox.once(consumer, message, async () => void ran.push(consumer));
    assert.deepEqual([await run('a'), await run('a'), await run('b'), await run('a')], [true, false, true, false]);
    assert.deepEqual(ran, ['a', 'b']);
  });

  test('an effect that fails is run again', async () => {
    const message = { id: newId() };
    await assert.rejects(
      inbox.once('a', message, () => Promise.reject(new Error('not yet'))),
      /not yet/,
    );
    assert.equal(await inbox.once('a', message, async () => {}), true);
    assert.equal(await inbox.once('a', message, async () => {}), false);
  });

  test('20 copies at once have one effect, when the effect is a unique row', async () => {
    const message = { id: newId() };
    const effects = connection.collection<{ _id: string }>('effects');
    const copies = numbers(20).map(() =>
      inbox.once('a', message, async () => {
        try {
          await effects.insertOne({ _id: message.id });
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
      }),
    );
    await Promise.all(copies);
    assert.equal(await effects.countDocuments({ _id: message.id }), 1);
    assert.equal(await inbox.model.countDocuments({ _id: `a:${message.id}` }), 1);
  });

  test('rows are kept for seven days', async () => {
    const indexes = await inbox.model.collection.listIndexes().toArray();
    assert.equal(indexes.find(index => 'at' in index.key)?.expireAfterSeconds, 604_800);
  });
});
