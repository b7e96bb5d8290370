import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { databaseUri } from '@tradepost/local/infrastructure';
import { serviceNames } from '@tradepost/shared/discovery';
import { seeded } from '@tradepost/shared/testing/seeded';
import { mongo } from 'mongoose';
import { type Databases, openDatabases } from '../../bench/growth/databases.ts';
import { generate } from '../../bench/growth/generate.ts';
import { customerPassword, makeTemplates } from '../../bench/growth/templates.ts';
import { isReady, metricOf, type RealShop, startRealShop, until } from './realShop.ts';
import { startMongod, startRabbit, type TestServer } from './servers.ts';

const seed = 11;
const orders = 12_000;
/** A page has at most a hundred rows and a batch of the relay too; nothing needs many times that. */
const most = 250;

/** Collections that do not grow with orders, and that are read as a whole. */
const readWhole = new Set(['user-service.signing_keys', 'product-service.products', 'order-service.written_schemas']);

const planted = 'planted by the test';

interface Profiled {
  ns: string;
  op: string;
  command: { comment?: unknown };
  planSummary?: string;
  keysExamined?: number;
  docsExamined?: number;
}

describe(`a shop with ${orders} stored orders, seed ${seed}`, () => {
  let servers: TestServer[];
  let shop: RealShop;
  let databases: Databases;
  let customers: { id: string; email: string }[];
  let products: string[];
  let admin: string;
  const profiles: mongo.MongoClient[] = [];

  before(async () => {
    const [mongod, rabbit] = await Promise.all([startMongod(), startRabbit()]);
    servers = [mongod, rabbit];
    shop = await startRealShop({ mongodbUri: mongod.url, rabbitmqUrl: rabbit.url });
    databases = await openDatabases(mongod.url);
    admin = await shop.adminToken();
    products = (await shop.send('GET', '/api/products?limit=100')).body.items.map(({ id }: { id: string }) => id);
    for (const id of products) {
      await shop.send('PATCH', `/api/inventory/${id}`, { token: admin, body: { onHand: 1_000_000 } });
    }
    const random = seeded(seed);
    const templates = await makeTemplates({ shop, databases, mongodbUri: mongod.url, random });
    customers = await generate({ databases, templates, orders, days: 100, random, onProgress() {} });
    for (const name of serviceNames) {
      const client = await new mongo.MongoClient(databaseUri(mongod.url, name)).connect();
      await client.db().createCollection('system.profile', { capped: true, size: 2 ** 26 });
      await client.db().command({ profile: 2 });
      profiles.push(client);
    }
  });
  after(async () => {
    await Promise.all(profiles.map(client => client.close()));
    await databases?.close();
    await shop?.stop();
    await Promise.all((servers ?? []).map(server => server.close()));
  });

  test('no command of its services looks at more than it needs, however much is stored', async () => {
    for (const one of shop.instances()) one.process.signal('SIGKILL');
    await until(async () => (await Promise.all(shop.instances().map(isReady))).every(Boolean), 60_000);
    await useEverything();
    for (const one of shop.instances()) await metricOf(one, 'outbox_depth');
    const commits = databases.collection('order-service/events');
    const stocks = databases.collection('inventory-service/stock');
    await until(async () => !(await commits.findOne({ pending: true })), 30_000);
    await until(async () => !(await stocks.findOne({ 'movements.at': { $gt: new Date(0) } })), 30_000);

    // What must be found: a look through a collection, and one through all of an index's keys of one customer.
    await databases.collection('order-service/orders').findOne({ total: -1 }, { comment: planted });
    const rows = databases.collection('user-service/confirmed_orders');
    await rows.countDocuments({ userId: customers[0]?.id }, { comment: planted });

    const commands = (await Promise.all(profiles.map(profileOf))).flat();
    const seen = new Set(commands.map(({ ns }) => ns));
    for (const name of ['order-service.events', 'payment-service.payments', 'inventory-service.ledger']) {
      assert.ok(seen.has(name), `${name} is among ${[...seen]}`);
    }
    const wasteful = commands.filter(
      ({ ns, planSummary, keysExamined = 0, docsExamined = 0 }) =>
        !readWhole.has(ns) && (planSummary?.includes('COLLSCAN') || Math.max(keysExamined, docsExamined) > most),
    );
    assert.deepEqual(
      wasteful.filter(({ command }) => command.comment !== planted),
      [],
    );
    assert.equal(wasteful.length, 2);
  });

  /** Places orders of all kinds for the customer who has the most, and asks for what customers and admins can ask. */
  async function useEverything(): Promise<void> {
    const login = { email: customers[0]?.email, password: customerPassword };
    const token = (await shop.send('POST', '/api/users/login', { body: login })).body.accessToken;
    const order = async (card: string): Promise<string> => {
      const { body } = await shop.send('POST', '/api/orders', {
        token,
        headers: { 'Idempotency-Key': crypto.randomUUID() },
        body: {
          items: products.slice(0, 3).map(productId => ({ productId, quantity: 1 })),
          shippingAddress: { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' },
          payment: { token: card },
        },
      });
      return body.id ?? body.orderId;
    };
    const act = (id: string, action: string, body: object) =>
      shop.send('POST', `/api/orders/${id}/${action}`, { token: admin, body });
    const [kept, turned] = [await order('tok_visa'), await order('tok_visa')];
    await order('tok_declined');
    await act(turned, 'cancel', {});
    await act(kept, 'refund', { amount: 1, reason: 'torn' });
    await act(kept, 'ship', { carrier: 'Post', trackingNumber: '1' });
    await act(kept, 'deliver', {});
    const reads = {
      [token]: ['/api/orders', '/api/orders?status=delivered', `/api/orders/${kept}`, '/api/payments', '/api/users/me'],
      [admin]: [
        ...['confirmed', 'shipped', 'delivered', 'cancelled', 'pending'].map(status => `/api/orders?status=${status}`),
        ...['/api/orders?limit=100', `/api/orders/${kept}/events`, `/api/payments?orderId=${kept}`, '/api/payments'],
        ...[
          `/api/inventory/${products[0]}/movements?limit=100`,
          '/api/operations/sagas',
          '/api/operations/payments/unresolved',
        ],
        ...['/api/users?limit=100', '/api/operations/dead-letters'],
      ],
    };
    for (const [who, paths] of Object.entries(reads)) {
      for (const path of paths) {
        const { status, body } = await shop.send('GET', path, { token: who });
        assert.equal(status, 200, path);
        if (!body.nextCursor) continue;
        const next = `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(body.nextCursor)}`;
        assert.equal((await shop.send('GET', next, { token: who })).status, 200, next);
      }
    }
  }
});

/** What the database was asked, but by those who look at the profile or wait for the end. */
async function profileOf(client: mongo.MongoClient): Promise<Profiled[]> {
  const rows = await client.db().collection('system.profile').find<Profiled>({}).toArray();
  return rows
    .filter(({ ns, op }) => !ns.endsWith('.system.profile') && op !== 'getmore')
    .map(({ ns, op, command, planSummary, keysExamined, docsExamined }) => ({
      ...{ ns: ns.replace('tradepost-', ''), op, command },
      ...(planSummary !== undefined && { planSummary }),
      ...{ keysExamined: keysExamined ?? 0, docsExamined: docsExamined ?? 0 },
    }));
}
