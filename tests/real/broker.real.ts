import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultyLink, startFaultyLink } from '@tradepost/shared/testing/faultyLink';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { deadLetterSuite } from '../system/deadLetterSuite.ts';
import { easyRate, expectNoFailure, recordFigures, startLoad } from './load.ts';
import { isReady, metricOf, type RealShop, settled, startRealShop, until } from './realShop.ts';
import { startMongod, startRabbit, type TestServer } from './servers.ts';

const exchanges = ['users', 'products', 'inventory', 'orders', 'payments'];
const mebibyte = 2 ** 20;
const outageMs = 60_000;
const drainedMs = 60_000;
const recoveryMs = 30_000;

describe('RabbitMQ fails', () => {
  let servers: { mongod: TestServer; rabbit: TestServer };
  let link: FaultyLink;
  let shop: RealShop;
  before(async () => {
    const [mongod, rabbit] = await Promise.all([startMongod(), startRabbit()]);
    servers = { mongod, rabbit };
    link = await startFaultyLink({ host: '127.0.0.1', port: Number(new URL(rabbit.url).port) });
    shop = await startRealShop({
      mongodbUri: mongod.url,
      rabbitmqUrl: `amqp://127.0.0.1:${link.port}?heartbeat=2`,
      // As in a small container: with all of a machine's memory at hand Node's heaps grow for minutes whatever happens.
      environment: { NODE_OPTIONS: '--max-old-space-size=192' },
    });
  });
  after(async () => {
    await shop?.stop();
    await link?.close();
    await Promise.all(Object.values(servers ?? {}).map(server => server.close()));
  });
  // A test that failed half-way leaves nothing to the next.
  afterEach(async () => {
    link.mend();
    await servers.rabbit.revive();
    assert.deepEqual(shop.ownFaults(), []);
  });

  const memory = () => Promise.all(shop.instances().map(one => metricOf(one, 'process_resident_memory_bytes')));

  test('away for 60 s at 20 orders a second: every order is accepted, and the backlog drains', async () => {
    const rate = await easyRate(shop, 20);
    await using load = await startLoad(shop, rate);
    await sleep(6_000);
    const before = await memory();
    const restarts = shop.instances().map(one => one.process.restarts());
    const most = [...before];
    link.cut();
    for (const end = performance.now() + outageMs; performance.now() < end; await sleep(5_000)) {
      const now = await memory();
      for (const [index, bytes] of now.entries()) most[index] = Math.max(most[index] ?? 0, bytes ?? 0);
      for (const instance of shop.instances()) {
        await until(
          () => isReady(instance),
          recoveryMs,
          () => `${instance.name} is not ready`,
        );
      }
    }
    const health = await shop.send('GET', '/health');
    assert.deepEqual([health.status, health.body.status], [200, 'degraded']);
    link.mend();
    const mendedAt = performance.now();
    const report = await load.finish();
    await settled(shop, drainedMs);
    const settledMs = Math.round(performance.now() - mendedAt);
    const growth = most.map((bytes, index) => Math.round(((bytes ?? 0) - (before[index] ?? 0)) / mebibyte));
    recordFigures('broker away 60 s', report, { rate, settledMs, mostGrowthMiB: Math.max(...growth) });
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, rate, report);
    assert.ok(settledMs < drainedMs, `${settledMs} ms`);
    for (const [index, instance] of shop.instances().entries()) {
      assert.ok((growth[index] ?? 0) < 64, `${instance.name} grew by ${growth[index]} MiB`);
    }
    assert.deepEqual(
      shop.instances().map(one => one.process.restarts()),
      restarts,
    );
  });

  test('connections that freeze are noticed by their heartbeats and made anew', async () => {
    await using load = await startLoad(shop, 10);
    await sleep(1_000);
    link.freeze();
    const down = async () => (await health('order-service')).checks.broker.status === 'down';
    await until(down, recoveryMs);
    await until(async () => !(await down()), recoveryMs);
    const report = await load.finish();
    const settledMs = Math.round(await settled(shop, recoveryMs));
    recordFigures('broker connections frozen', report, { settledMs });
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, 10, report);
  });

  test('killed and started again under load', async () => {
    await using load = await startLoad(shop, 10);
    await sleep(1_000);
    await servers.rabbit.kill();
    await sleep(2_000);
    await servers.rabbit.start();
    const report = await load.finish();
    const settledMs = Math.round(await settled(shop, recoveryMs));
    recordFigures('broker killed', report, { settledMs });
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, 10, report);
  });

  test('frozen under load', async () => {
    await using load = await startLoad(shop, 10);
    await sleep(1_000);
    servers.rabbit.signal('SIGSTOP');
    await sleep(10_000);
    servers.rabbit.signal('SIGCONT');
    const report = await load.finish();
    const settledMs = Math.round(await settled(shop, recoveryMs));
    recordFigures('broker frozen for 10 s', report, { settledMs });
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, 10, report);
  });

  test('a queue that is deleted under load is made again and consumed', async () => {
    await using load = await startLoad(shop, 10);
    await sleep(1_000);
    await withAdmin(async channel => {
      const queue = 'user-service.order.confirmed';
      await channel.deleteQueue(queue);
      await until(async () => (await checkQueue(queue))?.consumerCount === 1, recoveryMs);
      const report = await load.finish();
      await settled(shop, recoveryMs);
      await until(async () => (await checkQueue(queue))?.messageCount === 0, recoveryMs);
      recordFigures('queue deleted', report);
      assert.deepEqual(report.broken, []);
      await expectNoFailure(shop, 10, report);
    });
  });

  test('messages that come several times, late and in any order change nothing', async () => {
    await withAdmin(async channel => {
      const { queue } = await channel.assertQueue('', { exclusive: true });
      for (const exchange of exchanges) await channel.bindQueue(queue, exchange, '#');
      const running = new Set<NodeJS.Timeout>();
      let copies = 0;
      const copyOf = { 'x-copy': true };
      await channel.consume(queue, message => {
        if (!message || message.properties.headers?.['x-copy']) return;
        const { exchange, routingKey } = message.fields;
        for (let n = Math.floor(Math.random() * 4); n > 0; n -= 1) {
          const timer = setTimeout(() => {
            running.delete(timer);
            channel.publish(exchange, routingKey, message.content, { persistent: true, headers: copyOf });
            copies += 1;
          }, Math.random() * 4_000);
          running.add(timer);
        }
      });
      await using load = await startLoad(shop, 10, { cancelOneIn: 3 });
      await sleep(8_000);
      const report = await load.finish();
      await until(() => running.size === 0, recoveryMs);
      const settledMs = Math.round(await settled(shop, recoveryMs));
      recordFigures('messages repeated', report, { copies, settledMs });
      assert.deepEqual(report.broken, []);
      assert.ok(copies > report.orders, `${copies} copies`);
      const token = await shop.adminToken();
      assert.deepEqual((await shop.send('GET', '/api/operations/dead-letters', { token })).body.items, []);
    });
  });

  test('what no service can handle is listed and put back by the operator, and the consumers live on', async () => {
    await withAdmin(async channel => {
      await deadLetterSuite({
        ...{ send: shop.send, adminToken: await shop.adminToken(), customerToken: await shop.register() },
        publish: async message => void channel.publish('orders', message.type, Buffer.from(JSON.stringify(message))),
        until: look => until(look, recoveryMs).then(() => {}),
      });
    });
    await using load = await startLoad(shop, 5);
    await sleep(1_000);
    assert.deepEqual((await load.finish()).broken, []);
    await settled(shop, recoveryMs);
  });

  async function health(service: 'order-service') {
    const [instance] = shop.instances(service);
    const answer = await fetch(`http://127.0.0.1:${instance?.port}/health`);
    return (await answer.json()) as { checks: Record<string, { status: string }> & { broker: { status: string } } };
  }

  async function withAdmin<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const model: ChannelModel = await connect(servers.rabbit.url);
    try {
      const channel = await model.createChannel();
      channel.on('error', () => {});
      return await work(channel);
    } finally {
      await model.close();
    }
  }

  /** Asking for a queue that is not there closes the channel, so each look has its own. */
  const checkQueue = (queue: string) => withAdmin(channel => channel.checkQueue(queue)).catch(() => undefined);
});
