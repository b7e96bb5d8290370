import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import { newId } from '@tradepost/shared/ids';
import { buildIndexes, createConnection } from '@tradepost/shared/mongo';
import { shapesOf } from '@tradepost/shared/schemaVersions';
import type { Connection } from 'mongoose';
import { z } from 'zod';
import { type OrderEventType, orderEvents } from '../domain/events.ts';
import { fold } from '../domain/order.ts';
import { type EventKinds, NewerEventError, storedEvent, upcast, writtenSchema } from '../domain/storedEvent.ts';
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
const storedEvents = streams.flatMap(one => one.commits).flatMap(commit => commit.events);
const kindOf = (type: string) => orderEvents[type as OrderEventType];
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
    const versions = Object.entries(orderEvents).flatMap(([type, { version }]) =>
      Array.from({ length: version }, (_, index) => `${type} ${index + 1}`),
    );
    assert.deepEqual([...occurs].sort(), versions.sort());
  });

  test('every event has the shape of its version, and brought to today that of today, and nothing more', () => {
    for (const event of storedEvents) {
      const kind = kindOf(event.type);
      assert.deepEqual(shapesOf(kind).get(event.schema)?.parse(event.data), event.data, event.type);
      const { data } = upcast(event);
      assert.deepEqual(kind.data.parse(data), data, event.type);
    }
  });

  test('an event of the version that is written today would be written again as it was', () => {
    const current = storedEvents.filter(event => event.schema === writtenSchema(kindOf(event.type)));
    assert.deepEqual(new Set(current.map(event => event.type)), new Set(Object.keys(orderEvents)));
    assert.deepEqual(
      current.map(event => storedEvent(upcast(event))),
      current,
    );
  });

  test('a changed event would still be read from every old stream', () => {
    const known: EventKinds = {
      ...orderEvents,
      OrderShipped: {
        version: 3,
        data: z.object({}),
        before: [
          { data: z.object({}), up: ({ carrier, ...data }) => ({ ...data, carrier: { name: carrier } }) },
          { data: z.object({}), up: data => ({ ...data, parcels: 1 }) },
        ],
      },
    };
    const shipped = storedEvents.filter(event => event.type === 'OrderShipped');
    assert.deepEqual(
      shipped.map(event => upcast(event, known).data),
      [{ trackingNumber: 'RN123', carrier: { name: 'Post' }, parcels: 1 }],
    );
    for (const event of storedEvents.filter(one => one.type !== 'OrderShipped'))
      assert.deepEqual(upcast(event, known), upcast(event));
  });

  test('what a newer version of the service wrote is refused by name', async () => {
    const newer = async (orderId: string, event: object) => {
      const commit = { _id: newId(), orderId, version: 1, at: new Date(), events: [event] };
      await commits.collection.insertOne(commit as never);
      return eventStore.load(orderId);
    };
    const data = { userId: 'u', lines: [], currency: 'GBP', total: 0 };
    await assert.rejects(
      newer('newer-schema', { type: 'OrderCreated', data, schema: orderEvents.OrderCreated.version + 1 }),
      new NewerEventError({ type: 'OrderCreated', schema: orderEvents.OrderCreated.version + 1 }),
    );
    await assert.rejects(newer('newer-type', { type: 'OrderGifted', data, schema: 1 }), {
      message: 'event OrderGifted in schema 1 is not known to this version',
    });
  });
});
