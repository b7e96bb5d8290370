import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import { newId } from '@tradepost/shared/ids';
import { buildIndexes, createConnection } from '@tradepost/shared/mongo';
import type { Connection } from 'mongoose';
import type { OrderEventType } from '../domain/events.ts';
import { fold } from '../domain/order.ts';
import { currentSchema, type Upcasters, upcast, upcasters } from '../domain/upcast.ts';
import { type CommitDocument, type CommitModel, createCommitModel } from '../models/commit.ts';
import { createEventStore, type EventStore } from './eventStore.ts';

/** A stream as a service of its time has stored it, and the order that it has to add up to for ever. */
interface Golden {
  commits: { version: number; at: string; events: CommitDocument['events'] }[];
  order: object;
}

const folder = new URL('golden/', import.meta.url);
const streams = readdirSync(folder).map(file => ({
  name: file.replace('.json', ''),
  ...(JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden),
}));
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

let database: Awaited<ReturnType<typeof startTestDatabase>>;
let connection: Connection;
let commits: CommitModel;
let eventStore: EventStore;

before(async () => {
  database = await startTestDatabase();
  connection = createConnection(database.uri('order-service'));
  await connection.asPromise();
  commits = createCommitModel(connection);
  await buildIndexes(connection);
  eventStore = createEventStore(commits, () => new Date(), newId);
  for (const { name, commits: stored } of streams) {
    for (const { at, ...commit } of stored)
      await commits.collection.insertOne({ _id: newId(), orderId: name, at: new Date(at), ...commit } as never);
  }
});
after(async () => {
  await connection.close();
  await database.close();
});

describe('golden streams', () => {
  for (const { name, order } of streams) {
    test(`${name} folds to what it always was`, async () => {
      assert.deepEqual(plain(fold(await eventStore.load(name))), order);
    });
  }

  test('all are read in the order of time and one after the other', async () => {
    const all = await Array.fromAsync(eventStore.readAll());
    assert.deepEqual(
      all.map(commit => commit.orderId),
      streams.flatMap(({ name, commits: stored }) => stored.map(() => name)),
    );
    const byOrder = await Array.fromAsync(eventStore.streams());
    assert.deepEqual(byOrder.map(one => one.orderId).sort(), streams.map(one => one.name).sort());
  });

  test('every type of event occurs in every version that ever was', () => {
    const occurs = new Set(
      streams.flatMap(({ commits: stored }) =>
        stored.flatMap(commit => commit.events.map(({ type, schema }) => `${type} ${schema}`)),
      ),
    );
    const types = Object.keys(upcasters) as OrderEventType[];
    const versions = types.flatMap(type =>
      Array.from({ length: currentSchema(type) }, (_, index) => `${type} ${index + 1}`),
    );
    assert.deepEqual([...occurs].sort(), versions.sort());
  });

  test('a changed event would still be read from every old stream', () => {
    const known: Upcasters = {
      ...upcasters,
      OrderShipped: [
        ({ carrier, ...data }) => ({ ...data, carrier: { name: carrier } }),
        data => ({ ...data, parcels: 1 }),
      ],
    };
    const stored = streams.flatMap(one => one.commits).flatMap(commit => commit.events);
    const shipped = stored.filter(event => event.type === 'OrderShipped');
    assert.deepEqual(
      shipped.map(event => upcast(event, known).data),
      [{ trackingNumber: 'RN123', carrier: { name: 'Post' }, parcels: 1 }],
    );
    for (const event of stored.filter(one => one.type !== 'OrderShipped'))
      assert.deepEqual(upcast(event, known), { type: event.type, data: event.data });
  });

  test('what a newer version of the service wrote is refused by name', async () => {
    const newer = async (orderId: string, event: object) => {
      const commit = { _id: newId(), orderId, version: 1, at: new Date(), events: [event] };
      await commits.collection.insertOne(commit as never);
      return eventStore.load(orderId);
    };
    const data = { userId: 'u', lines: [], currency: 'GBP', total: 0 };
    await assert.rejects(
      newer('newer-schema', { type: 'OrderCreated', data, schema: currentSchema('OrderCreated') + 1 }),
      { message: `event OrderCreated in schema ${currentSchema('OrderCreated') + 1} is not known to this version` },
    );
    await assert.rejects(newer('newer-type', { type: 'OrderGifted', data, schema: 1 }), {
      message: 'event OrderGifted in schema 1 is not known to this version',
    });
  });
});
