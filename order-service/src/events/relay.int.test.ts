import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { BusUnavailableError } from '@tradepost/shared/messaging/eventBus';
import { buildIndexes, createConnection } from '@tradepost/shared/mongo';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import type { Connection } from 'mongoose';
import { histories } from '../domain/testing.ts';
import { type CommitModel, createCommitModel } from '../models/commit.ts';
import { createOrderViewModel } from '../models/orderView.ts';
import { eventually } from '../orders.testing.ts';
import { createEventStore, type EventStore } from './eventStore.ts';
import { createRelay, type Relay } from './relay.ts';
import { createViewConfirmation } from './views.ts';

let database: Awaited<ReturnType<typeof startTestDatabase>>;
let connection: Connection;
let commits: CommitModel;
let eventStore: EventStore;

before(async () => {
  database = await startTestDatabase();
  connection = createConnection(database.uri('order-service'));
  await connection.asPromise();
  commits = createCommitModel(connection);
  createOrderViewModel(connection);
  await buildIndexes(connection);
  eventStore = createEventStore(commits, () => new Date(), newId);
});
after(async () => {
  await connection.close();
  await database.close();
});

/** A relay that publishes into `published`, as one instance of several. */
function relayTo(published: string[], publish: () => Promise<void> = async () => {}): Relay {
  return createRelay({
    ...{ commits, eventStore, newId, claimMs: 10_000 },
    confirmView: createViewConfirmation(createOrderViewModel(connection)),
    bus: {
      async publish(_exchange: string, message: { id: string }) {
        await publish();
        published.push(message.id);
      },
    } as never,
    ...{ wakeSaga: async () => {}, clock: () => new Date(), logger: silentLogger(), failpoint: () => {} },
    registry: createRegistry('relay', { processMetrics: false }),
  });
}

/** An order that was delivered, one commit for each event. */
async function delivered(): Promise<string> {
  const orderId = newId();
  for (const [index, event] of histories.delivered.entries()) await eventStore.append(orderId, index, [event]);
  return orderId;
}

const pending = async (orderId: string): Promise<number[]> =>
  (await commits.find({ orderId, pending: true }).sort({ version: 1 }).lean()).map(one => one.version);

const idsOf = (orderId: string, ...versions: number[]) => versions.map(version => `${orderId}:${version}`);

test('what another instance holds in the middle of an order goes before what follows it', async () => {
  const orderId = await delivered();
  const held = { orderId, version: { $in: [4, 5] } };
  await commits.updateMany(held, { $set: { claim: { by: 'another', until: new Date(Date.now() + 3_600_000) } } });
  const published: string[] = [];
  const relay = relayTo(published);
  relay.start();
  await eventually(async () => (await pending(orderId))[0] === 4);
  await relay.stop();
  assert.deepEqual(published, idsOf(orderId, 1));
  assert.deepEqual(await pending(orderId), [4, 5, 6]);
  await commits.updateMany(held, { $set: { 'claim.until': new Date(0) } });
  relay.start();
  await eventually(async () => (await pending(orderId)).length === 0);
  await relay.stop();
  assert.deepEqual(published, idsOf(orderId, 1, 4, 5, 6));
});

test('nothing is marked that the bus has not taken, and a later instance publishes it', async () => {
  const orderId = await delivered();
  const published: string[] = [];
  let asked = 0;
  const refusing = relayTo(published, async () => {
    asked += 1;
    throw new BusUnavailableError('no broker');
  });
  refusing.start();
  await eventually(() => asked >= 2);
  await refusing.stop();
  assert.deepEqual(await pending(orderId), [1, 2, 3, 4, 5, 6]);
  const relay = relayTo(published);
  relay.start();
  await eventually(async () => (await pending(orderId)).length === 0);
  await relay.stop();
  assert.deepEqual(published, idsOf(orderId, 1, 4, 5, 6));
});
