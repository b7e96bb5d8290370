import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceNames } from '@tradepost/shared/discovery';
import { restart, untilKnown } from './instances.ts';
import { easyRate, expectNoFailure, recordFigures, startLoad } from './load.ts';
import { isReady, type RealShop, settled, startRealShop, until } from './realShop.ts';
import { startConsul, startMongod, startRabbit, type TestServer } from './servers.ts';

const awayMs = 30_000;
const recoveryMs = 30_000;
/** Longer than the lease of a saga, and than it takes the others to find a process dead. */
const frozenMs = 7_000;

describe('two instances of every service, found by Consul', () => {
  let servers: { mongod: TestServer; rabbit: TestServer; consul: TestServer };
  let shop: RealShop;
  before(async () => {
    const [mongod, rabbit, consul] = await Promise.all([startMongod(), startRabbit(), startConsul()]);
    servers = { mongod, rabbit, consul };
    shop = await startRealShop({
      ...{ mongodbUri: mongod.url, rabbitmqUrl: rabbit.url, consulUrl: consul.url },
      scale: serviceNames.map(name => `${name}=2`).join(','),
    });
    for (const service of serviceNames) await untilKnown(servers.consul.url, service, 2);
  });
  after(async () => {
    await shop?.stop();
    await Promise.all(Object.values(servers ?? {}).map(server => server.close()));
  });
  afterEach(async () => {
    await servers.consul.revive();
    assert.deepEqual(shop.ownFaults(), []);
  });

  test('a rolling restart of all of them under load fails no request', async () => {
    const rate = await easyRate(shop, 10);
    await using load = await startLoad(shop, rate);
    await sleep(1_000);
    let stopped = 0;
    for (const nth of [0, 1]) {
      const round = serviceNames.map(service => shop.instances(service)[nth]!);
      await Promise.all(round.map(instance => restart(instance, 'SIGTERM')));
      for (const service of serviceNames) await untilKnown(servers.consul.url, service, 2);
      stopped += round.length;
    }
    const report = await load.finish();
    const settledMs = Math.round(await settled(shop, recoveryMs));
    recordFigures('rolling restart', report, { stopped, settledMs });
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, rate, report);
    assert.equal(stopped, 10);
  });

  test('an instance that is killed under load costs no order, and little more than what it was at', async () => {
    await using load = await startLoad(shop, 10);
    await sleep(1_000);
    await Promise.all(
      serviceNames.map(async (service, index) => {
        await sleep(index * 700);
        await restart(shop.instances(service)[0]!, 'SIGKILL');
      }),
    );
    const report = await load.finish();
    const settledMs = Math.round(await settled(shop, recoveryMs));
    recordFigures('five instances killed', report, { settledMs });
    assert.deepEqual(report.broken, []);
    for (const service of serviceNames) await untilKnown(servers.consul.url, service, 2);
  });

  test('an order-service that is frozen past its leases is replaced, and harms nothing when it goes on', async () => {
    await using load = await startLoad(shop, 10);
    await sleep(1_000);
    for (const instance of shop.instances('order-service')) {
      instance.process.signal('SIGSTOP');
      await sleep(frozenMs);
      instance.process.signal('SIGCONT');
      await until(() => isReady(instance), recoveryMs);
      await untilKnown(servers.consul.url, 'order-service', 2);
    }
    const report = await load.finish();
    const settledMs = Math.round(await settled(shop, recoveryMs));
    recordFigures('order-service frozen twice', report, { settledMs });
    assert.deepEqual(report.broken, []);
  });

  test('without Consul for 30 s everybody goes on with whom they know, also after restarts', async () => {
    const rate = await easyRate(shop, 10);
    await using load = await startLoad(shop, rate);
    await sleep(1_000);
    await servers.consul.kill();
    const killedAt = performance.now();
    await sleep(2_000);
    // Its address stays the same, so that it is found again without Consul.
    const instance = shop.instances('inventory-service')[0]!;
    await restart(instance, 'SIGTERM');
    await sleep(Math.max(0, awayMs - (performance.now() - killedAt)));
    await servers.consul.start();
    await sleep(3_000);
    const report = await load.finish();
    const settledMs = Math.round(await settled(shop, recoveryMs));
    recordFigures('Consul away 30 s', report, { settledMs });
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, rate, report);
    // An agent that begins anew has forgotten them all; they come back by themselves.
    for (const service of serviceNames) await until(() => knownAgain(service), 40_000);
  });

  async function knownAgain(service: string): Promise<boolean> {
    const answer = await fetch(`${servers.consul.url}/v1/health/service/${service}?passing`);
    return ((await answer.json()) as unknown[]).length === 2;
  }
});
