import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { databaseUri } from '@tradepost/local/infrastructure';
import { type DatabaseSharding, type ShardedCollection, sharding } from '@tradepost/local/sharding/shardKeys';
import { startTestDatabase } from '@tradepost/local/testing';
import { systemClock } from '@tradepost/shared/clock';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { newId } from '@tradepost/shared/ids';
import mongoose, { type Connection } from 'mongoose';
import { createEventStore } from '../../order-service/src/events/eventStore.ts';
import { createCommitModel } from '../../order-service/src/models/commit.ts';
import { createOrderViewModel } from '../../order-service/src/models/orderView.ts';
import { rebuildViews } from '../../order-service/src/services/rebuildViews.ts';
import { eventually, startTestShop } from '../system/testShop.ts';
import type { Operation } from './operations.ts';
import { startRecorder } from './recorder.ts';
import { indexFaults, routeOf, shapeOf } from './routing.ts';
import { scattered, walk } from './scattered.ts';

const databaseOf = (service: ServiceName) => new URL(databaseUri('mongodb://host', service)).pathname.slice(1);
const services = new Map(serviceNames.map(name => [databaseOf(name), name]));

const nameOf = (operation: Operation): string => `${services.get(operation.database)} ${shapeOf(operation)}`;

/** Which key an operation's collection is spread by; undefined for one that stays whole. */
const keyFor = ({ database, collection }: Operation): ShardedCollection | undefined =>
  sharding[services.get(database) as ServiceName]?.sharded[collection];

const heard = new Map<string, Operation>();
const database = await startTestDatabase();
const recorder = await startRecorder(database.uri(''), operation => {
  const order = Object.keys(operation.sort ?? {}).join();
  if (services.has(operation.database)) heard.set(`${nameOf(operation)} ${order}`, operation);
});
// Ends last: hooks run in the order in which they come.
const shop = await startTestShop({
  mongodbUri: recorder.uri,
  environment: { PROVIDER_TIMEOUT_MS: '300', PAYMENT_SWEEP_MS: '50', ORDER_WAIT_MS: '500', SAGA_LEASE_MS: '1000' },
});
const connections = new Map<ServiceName, Promise<Connection>>();
after(async () => {
  for (const connection of connections.values()) await (await connection).close();
  await recorder.close();
  await database.close();
});

function connect(service: ServiceName): Promise<Connection> {
  const uri = databaseUri(recorder.uri, service);
  const patient = { serverSelectionTimeoutMS: 60_000, autoIndex: false, autoCreate: false };
  const connection = connections.get(service) ?? mongoose.createConnection(uri, patient).asPromise();
  connections.set(service, connection);
  return connection;
}

describe('a shop on a sharded database', () => {
  test('everything that happens to orders names its shard, but for what is listed with a reason', async () => {
    await liveThroughEverything();
    const found = [...heard.values()].flatMap(operation => {
      const spread = keyFor(operation);
      if (!spread) return [];
      const route = routeOf(operation, spread.key);
      return route === 'targeted' ? [] : [[nameOf(operation), route] as const];
    });
    assert.deepEqual(
      found.filter(([shape, route]) => route === 'refused' || !(shape in scattered)),
      [],
    );
    assert.deepEqual(
      Object.keys(scattered).filter(shape => !found.some(([one]) => one === shape)),
      [],
      'no reason is given for what does not happen',
    );
  });

  test('no shard reads all of its part for one of them: each has an index', async () => {
    for (const operation of heard.values()) {
      const { database: name, collection, command, filter, sort = {} } = operation;
      if (!keyFor(operation) || command === 'insert' || scattered[nameOf(operation)] === walk) continue;
      // The views of all orders, one after the other.
      if (Object.keys({ ...filter, ...sort }).length === 0) continue;
      const { db } = await connect(services.get(name) as ServiceName);
      const plan = JSON.stringify(await db!.command({ explain: { find: collection, filter, sort } }));
      assert.match(plan, /IXSCAN|IDHACK/, `${name}.${collection} ${JSON.stringify(filter)}`);
      assert.doesNotMatch(plan, /COLLSCAN/, `${name}.${collection} ${JSON.stringify(filter)}`);
    }
  });

  test('every collection is spread or stays whole, and says which', async () => {
    for (const service of serviceNames) {
      const { db } = await connect(service);
      const there = (await db!.listCollections().toArray()).map(({ name }) => name);
      const { sharded, whole }: DatabaseSharding = sharding[service];
      assert.deepEqual(there.sort(), [...Object.keys(sharded), ...Object.keys(whole)].sort(), service);
    }
  });

  test('every unique index begins with the key of its collection', async () => {
    for (const service of serviceNames) {
      const connection = await connect(service);
      for (const [name, { key, oneId }] of Object.entries(sharding[service].sharded)) {
        const indexes = await connection.collection(name).indexes();
        const others = indexes.filter(index => index.name !== '_id_');
        assert.deepEqual(indexFaults(key, others), [], `${service} ${name}`);
        assert.ok(Object.keys(key)[0] === '_id' || oneId, `${service} ${name} says why an _id is there once`);
      }
    }
  });
});

/** Everything that can happen to orders, also what seldom does. */
async function liveThroughEverything(): Promise<void> {
  const admin = await shop.adminToken();
  const ada = (await eventually(() => shop.register().catch(() => undefined), Boolean, 60_000))!;
  const [{ id: mug }, { id: twine }] = [await shop.productBySku('KIT-MUG'), await shop.productBySku('GAR-TWINE')];
  const items = [
    { productId: mug, quantity: 1 },
    { productId: twine, quantity: 2 },
  ];
  /** Does it, on a busy machine at the second or third time. */
  const ask = async (token: string, method: string, path: string, body?: unknown) => {
    let tries = 0;
    const attempt = () => {
      tries += 1;
      return shop.send(method, path, { token, body });
    };
    const answer = await eventually(attempt, ({ status }) => status < 500, 60_000);
    const isDone = answer.status < 300 || (tries > 1 && answer.body.code === 'invalid_transition');
    assert.ok(isDone, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const place = async (payment: string, code?: string) => {
    const { body } = await shop.orderToEnd(ada.token, items, { payment });
    assert.equal(body.code, code, JSON.stringify(body));
    return body;
  };

  const [shipped, cancelled, refunded] = [await place('tok_visa'), await place('tok_visa'), await place('tok_visa')];
  await place('tok_declined', 'payment_declined');
  await Promise.all(['tok_timeout', 'tok_flaky'].map(token => place(token)));
  const [many, unknown] = [
    { productId: mug, quantity: 1_000 },
    { productId: randomUUID(), quantity: 1 },
  ];
  assert.equal((await shop.order(ada.token, [many])).body.code, 'insufficient_stock');
  assert.equal((await shop.order(ada.token, [unknown])).body.code, 'unknown_product');
  const repeat = () => shop.order(ada.token, items, { key: 'again' });
  const isPlaced = ({ status }: { status: number }) => status === 201;
  const twice = [await eventually(repeat, isPlaced, 60_000), await eventually(repeat, isPlaced, 60_000)];
  assert.equal(twice[0]?.body.id, twice[1]?.body.id);

  await ask(ada.token, 'POST', `/api/orders/${cancelled.id}/cancel`, {});
  await ask(ada.token, 'POST', `/api/orders/${cancelled.id}/cancel`, {});
  await ask(admin, 'POST', `/api/orders/${shipped.id}/ship`, { carrier: 'DHL', trackingNumber: '1' });
  await ask(admin, 'POST', `/api/orders/${shipped.id}/deliver`);
  await ask(admin, 'POST', `/api/orders/${refunded.id}/refund`, { amount: 100, reason: 'chipped' });
  await ask(admin, 'POST', `/api/operations/sagas/${shipped.id}/retry`);

  for (const path of ['', '?status=confirmed', `/${shipped.id}`, `/${shipped.id}/events`]) {
    await ask(ada.token, 'GET', `/api/orders${path}`);
  }
  const [payment] = (await ask(ada.token, 'GET', '/api/payments')).items;
  for (const path of [`/${payment.id}`, `?orderId=${shipped.id}`]) await ask(ada.token, 'GET', `/api/payments${path}`);
  await ask(ada.token, 'GET', '/api/dashboard');
  await ask(ada.token, 'GET', `/api/inventory?productIds=${mug},${twine}`);
  for (const path of ['orders', 'payments', 'operations/sagas', 'operations/payments/unresolved']) {
    await ask(admin, 'GET', `/api/${path}`);
  }
  await ask(admin, 'GET', `/api/inventory/${mug}/movements`);
  await eventually(
    () => ask(admin, 'GET', '/api/operations/audit?patienceMs=0'),
    ({ clean }) => clean,
    30_000,
  );
  const orders = await connect('order-service');
  const [commits, views] = [createCommitModel(orders), createOrderViewModel(orders)];
  await views.updateOne({ _id: shipped.id, userId: ada.id }, { $set: { total: 1 } });
  const { mended } = await rebuildViews({
    eventStore: createEventStore(commits, systemClock, newId),
    ...{ commits, views },
  });
  assert.equal(mended, 1);
  await ask(ada.token, 'DELETE', '/api/users/me', { password: 'a long enough password' });
  await eventually(
    () => orders.collection('sagas').countDocuments({ userId: ada.id, shippingAddress: { $exists: true } }),
    left => left === 0,
  );
  for (const { address } of Object.values(shop.ports.services)) {
    assert.equal((await fetch(`${address}/metrics`)).status, 200);
  }
}
