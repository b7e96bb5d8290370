import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryRabbit } from '@tradepost/shared/messaging/rabbitConnection';
import { easyRate, expectNoFailure } from '../real/load.ts';
import { type RealShop, startRealShop, until } from '../real/realShop.ts';
import { startMongod, type TestServer } from '../real/servers.ts';
import { type BrokerCluster, startBrokerCluster } from './brokerCluster.ts';
import { isShort, underLoad } from './failing.ts';

/** How long the others work without a node. */
const awayMs = 5_000;
const heardLimitMs = 30_000;

describe('three nodes of a broker as a cluster, of which one fails', () => {
  let [broker, mongod, shop]: [BrokerCluster, TestServer, RealShop] = [] as never;
  let rate = 0;
  before(async () => {
    broker = await startBrokerCluster();
    mongod = await startMongod();
    shop = await startRealShop({
      ...{ mongodbUri: mongod.url, rabbitmqUrl: broker.url },
      environment: { RABBITMQ_QUORUM_SIZE: '3' },
    });
    rate = await easyRate(shop, 20);
  });
  after(async () => {
    await shop?.stop();
    await Promise.all([broker?.close(), mongod?.close()]);
  });
  // A test that failed half-way leaves nothing to the next.
  afterEach(async () => {
    for (const node of broker.nodes) await node.revive();
    await broker.untilWhole();
  });

  test('work queues, retries and dead letters are kept on three nodes', async () => {
    const queues = await broker.queues();
    for (const kind of [/^order-service\.payment\.refunded$/, /^retry\.\d+$/, /^payment-service\.dead$/]) {
      assert.ok(queues.some(({ name }) => kind.test(name)));
    }
    assert.deepEqual(
      queues.filter(({ members }) => members.length !== 3),
      [],
    );
  });

  for (const nth of isShort ? [1] : [1, 2, 3]) {
    test(`node ${nth} is killed: every order is accepted, and every instance hears the others still`, async () => {
      const report = await underLoad(shop, rate, `broker node ${nth} killed`, async () => {
        const node = broker.nodes[nth - 1]!;
        await node.kill();
        await sleep(awayMs);
        const heardMs = Math.round(await endSession(shop));
        await node.start();
        await broker.untilWhole();
        return { heardMs };
      });
      await expectNoFailure(shop, rate, report);
      await noDeadLetters(shop);
    });
  }

  test('a node that is cut off from the others pauses, and follows them when it reaches them again', async () => {
    const report = await underLoad(shop, rate, 'broker node cut off', async () => {
      const [node] = broker.nodes.slice(-1) as [BrokerCluster['nodes'][number]];
      const heal = await broker.isolate(node);
      const isPaused = () =>
        tryRabbit(node.url, 2_000).then(
          () => false,
          () => true,
        );
      const pausedMs = Math.round(await until(isPaused, heardLimitMs));
      await sleep(awayMs);
      const heardMs = Math.round(await endSession(shop));
      await heal();
      await broker.untilWhole();
      return { pausedMs, heardMs };
    });
    await expectNoFailure(shop, rate, report);
    await noDeadLetters(shop);
  });
});

/**
 * Ends the session of a new customer, which every process hears by a queue of its own, and waits until its token is taken
 * no more. @returns milliseconds that it took
 */
async function endSession(shop: RealShop): Promise<number> {
  const token = await shop.register();
  const [session] = (await shop.send('GET', '/api/users/me/sessions', { token })).body.items;
  const ended = await shop.send('DELETE', `/api/users/me/sessions/${session.id}`, { token });
  assert.ok(ended.status < 300, JSON.stringify(ended.body));
  return until(async () => (await shop.send('GET', '/api/orders', { token })).status === 401, heardLimitMs);
}

async function noDeadLetters(shop: RealShop): Promise<void> {
  const token = await shop.adminToken();
  assert.deepEqual((await shop.send('GET', '/api/operations/dead-letters', { token })).body.items, []);
}
