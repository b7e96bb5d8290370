import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { tour } from '@tradepost/local/tour';
import { serviceNames } from '@tradepost/shared/discovery';
import { type FaultyLink, startFaultyLink } from '@tradepost/shared/testing/faultyLink';
import { recordFigures, startLoad } from './load.ts';
import { isReady, type RealShop, settled, startRealShop, until } from './realShop.ts';
import { startMongod, startRabbit, type TestServer } from './servers.ts';

/** Longest that anybody waits for an answer to what is not an order: the gateway's 3 s, and what a busy machine adds. */
const boundMs = 6_000;
const orderBoundMs = 18_000;

describe('six processes on real servers', () => {
  let servers: { mongod: TestServer; payments: TestServer; rabbit: TestServer };
  let shop: RealShop;
  const links: Partial<Record<'inventory-service' | 'payment-service', FaultyLink>> = {};
  before(async () => {
    const [mongod, payments, rabbit] = await Promise.all([startMongod(), startMongod(), startRabbit()]);
    servers = { mongod, payments, rabbit };
    shop = await startRealShop({
      mongodbUri: mongod.url,
      rabbitmqUrl: rabbit.url,
      environment: { PAYMENT_SERVICE_MONGODB_URI: `${payments.url}/payments` },
      async openDoors(ports) {
        for (const name of ['inventory-service', 'payment-service'] as const) {
          links[name] = await startFaultyLink({ host: '127.0.0.1', port: ports[name] ?? 0 });
        }
        return {
          'inventory-service': links['inventory-service']?.port,
          'payment-service': links['payment-service']?.port,
        };
      },
    });
  });
  after(async () => {
    await shop?.stop();
    await Promise.all(Object.values(links).map(link => link.close()));
    await Promise.all(Object.values(servers ?? {}).map(server => server.close()));
  });

  // A test that failed half-way leaves nothing to the next.
  afterEach(async () => {
    await servers.mongod.revive();
    await servers.payments.revive();
  });

  test('the walk through the shop ends with a confirmed order, which is shipped and delivered', async () => {
    const { stdout } = await promisify(execFile)('sh', ['-c', tour(shop.url)]);
    const [stock, order, left] = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.equal(order.status, 'confirmed');
    assert.equal(left.available, stock.available - 2);
    const token = await shop.adminToken();
    const act = (action: string, body?: unknown) =>
      shop.send('POST', `/api/orders/${order.id}/${action}`, { token, ...(body ? { body } : {}) });
    assert.equal((await act('ship', { carrier: 'DHL', trackingNumber: '1' })).body.status, 'shipped');
    assert.equal((await act('deliver')).body.status, 'delivered');
    const { items } = (await shop.send('GET', `/api/orders/${order.id}/events`, { token })).body;
    assert.deepEqual(
      items.map((event: { version: number; type: string }) => [event.version, event.type]),
      ['OrderCreated', 'StockReserved', 'PaymentCaptured', 'OrderConfirmed', 'OrderShipped', 'OrderDelivered'].map(
        (type, index) => [index + 1, type],
      ),
    );
    await settled(shop, 20_000);
  });

  test('messages reach their listeners in other processes: availability, and the count of orders', async () => {
    const admin = await shop.adminToken();
    const body = { sku: 'REAL-1', name: 'Real', price: { amount: 100, currency: 'GBP' }, initialStock: 1 };
    const product = (await shop.send('POST', '/api/products', { token: admin, body })).body;
    const seen = async (path: string) => (await shop.send('GET', path)).body;
    await until(async () => (await seen(`/api/inventory/${product.id}`)).available === 1, 10_000);
    await until(async () => (await seen(`/api/products/${product.id}`)).availability === 'low_stock', 10_000);
    await shop.send('PATCH', `/api/inventory/${product.id}`, { token: admin, body: { onHand: 0 } });
    await until(async () => (await seen(`/api/products/${product.id}`)).availability === 'out_of_stock', 10_000);
  });

  test('a process that hangs is answered for in time, and work goes on when it does', async () => {
    const token = await shop.register();
    const [hanging] = shop.instances('order-service');
    hanging!.process.signal('SIGSTOP');
    const began = performance.now();
    const answer = await shop.send('GET', '/api/orders', { token });
    const tookMs = performance.now() - began;
    hanging!.process.signal('SIGCONT');
    assert.deepEqual([answer.status, answer.body.code], [504, 'upstream_timeout']);
    assert.ok(tookMs < boundMs, `${tookMs}`);
    await until(async () => (await shop.send('GET', '/api/orders', { token })).status === 200, 10_000);
  });

  test('a process that was killed is back by itself, and its orders with it', async () => {
    await using load = await startLoad(shop, 10);
    await sleep(1_000);
    for (const service of serviceNames) {
      const [instance] = shop.instances(service);
      const restarts = instance!.process.restarts();
      instance!.process.signal('SIGKILL');
      await until(async () => instance!.process.restarts() > restarts && (await isReady(instance!)), 30_000);
    }
    const report = await load.finish();
    const tookMs = await settled(shop, 30_000);
    recordFigures('five kills', report, { settledMs: Math.round(tookMs) });
    assert.deepEqual(report.broken, []);
    assert.ok(report.orders > 20 && report.slowestMs < orderBoundMs, JSON.stringify(report));
  });

  test('answers that are lost after the work was done are asked for again, and nothing is done twice', async () => {
    await using load = await startLoad(shop, 5, { cancelOneIn: 3 });
    const perRound = 3;
    for (let round = 0; round < 8; round += 1) {
      for (const link of Object.values(links)) link.loseAnswers(perRound);
      await sleep(700);
    }
    await until(() => Object.values(links).every(link => link.answersToLose() === 0), 20_000);
    const report = await load.finish();
    const tookMs = await settled(shop, 30_000);
    recordFigures('answers lost', report, { lost: 2 * 8 * perRound, settledMs: Math.round(tookMs) });
    assert.deepEqual(report.broken, []);
  });

  test('answers that come late, in drops or not at all for a while leave nothing half done', async () => {
    await using load = await startLoad(shop, 5, { cancelOneIn: 3 });
    const faults: ((link: FaultyLink) => void)[] = [link => link.delay(300), link => link.drip(5), link => link.hang()];
    let held = 0;
    for (const fault of faults) {
      for (const link of Object.values(links)) fault(link);
      await sleep(3_000);
      for (const link of Object.values(links)) link.mend();
      const pieces = Object.values(links).reduce((sum, link) => sum + link.piecesHeld(), 0);
      assert.ok(pieces > held, 'the fault was met');
      held = pieces;
      await sleep(1_000);
    }
    const report = await load.finish();
    const tookMs = await settled(shop, 30_000);
    recordFigures('answers late, dripping, hanging', report, { held, settledMs: Math.round(tookMs) });
    assert.deepEqual(report.broken, []);
    assert.ok(report.slowestMs < orderBoundMs, `${report.slowestMs}`);
  });

  test('a database that is away is 503 in time, in its own service only', async () => {
    const restarts = () => shop.instances().map(one => one.process.restarts());
    const before = restarts();
    await servers.payments.kill();
    const token = await shop.adminToken();
    const began = performance.now();
    const answer = await shop.send('GET', '/api/payments?orderId=x', { token });
    assert.deepEqual([answer.status, answer.body.code], [503, 'service_unavailable']);
    assert.ok(answer.headers.get('retry-after'));
    assert.ok(performance.now() - began < boundMs);
    assert.equal((await shop.send('GET', '/api/products')).status, 200);
    assert.equal(await isReady(shop.instances('payment-service')[0]!), false);
    await servers.payments.start();
    await until(() => isReady(shop.instances('payment-service')[0]!), 15_000);
    await until(async () => (await shop.send('GET', '/api/payments?orderId=x', { token })).status === 200, 15_000);
    assert.deepEqual(restarts(), before, 'nobody ended for it');
  });

  test('a database that is killed under load loses nothing', async () => {
    await using load = await startLoad(shop, 10);
    await sleep(2_000);
    await servers.mongod.kill();
    await sleep(3_000);
    await servers.mongod.start();
    await sleep(3_000);
    const report = await load.finish();
    const tookMs = await settled(shop, 60_000);
    recordFigures('database killed for 3 s', report, { settledMs: Math.round(tookMs) });
    assert.deepEqual(report.broken, []);
    assert.ok(report.slowestMs < orderBoundMs, `${report.slowestMs}`);
  });

  test('a database that hangs under load loses nothing, and nobody waits for it without end', async () => {
    await using load = await startLoad(shop, 5);
    await sleep(1_000);
    servers.mongod.signal('SIGSTOP');
    await sleep(8_000);
    servers.mongod.signal('SIGCONT');
    await sleep(2_000);
    const report = await load.finish();
    const tookMs = await settled(shop, 60_000);
    recordFigures('database frozen for 8 s', report, { settledMs: Math.round(tookMs) });
    assert.deepEqual(report.broken, []);
    assert.ok(report.slowestMs < orderBoundMs, `${report.slowestMs}`);
  });

  test('a service that is gone for good is 503 with a stable code, and orders say so', async () => {
    const token = await shop.register();
    await shop.instances('product-service')[0]!.process.stop(15_000);
    for (const [method, path, options] of [
      ['GET', '/api/products', {}],
      [
        'POST',
        '/api/orders',
        {
          token,
          headers: { 'Idempotency-Key': 'gone' },
          body: {
            items: [{ productId: 'x', quantity: 1 }],
            shippingAddress: { name: 'A', line1: 'B', city: 'C', postcode: 'D', country: 'GB' },
            payment: { token: 'tok_visa' },
          },
        },
      ],
    ] as const) {
      const began = performance.now();
      const answer = await shop.send(method, path, options);
      assert.deepEqual([answer.status, answer.body.code], [503, 'service_unavailable']);
      assert.ok(performance.now() - began < boundMs);
    }
    const { status, body } = await shop.send('GET', '/health');
    assert.equal(status, 200);
    assert.equal(body.status, 'degraded');
    assert.equal(body.checks['product-service'].status, 'down');
  });

  test('nothing of all this was our own fault', () => assert.deepEqual(shop.ownFaults(), []));

  test('all processes end in time and cleanly', async () => {
    const began = performance.now();
    await shop.fleet.stop();
    assert.ok(performance.now() - began < 20_000);
    assert.deepEqual(
      shop.instances().map(one => one.process.pid()),
      shop.instances().map(() => undefined),
    );
  });
});
