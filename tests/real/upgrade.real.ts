import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { databaseUri } from '@tradepost/local/infrastructure';
import type { Instance } from '@tradepost/local/processes/fleet';
import { send } from '@tradepost/local/testing';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { silentLogger } from '@tradepost/shared/logger';
import type { EventBus } from '@tradepost/shared/messaging/eventBus';
import { createRabbitBus } from '@tradepost/shared/messaging/rabbitBus';
import { createConnection } from '@tradepost/shared/mongo';
import type { Connection } from 'mongoose';
import { Registry } from 'prom-client';
import { root } from '../architecture/sourceFiles.ts';
import { restart, untilKnown } from './instances.ts';
import { easyRate, expectNoFailure, recordFigures, startLoad } from './load.ts';
import { type RealShop, settled, startRealShop, until } from './realShop.ts';
import { type Release, readingRelease, runIn, writingRelease } from './releases.ts';
import { startConsul, startMongod, startRabbit, type TestServer } from './servers.ts';
import { beginOrders } from './takeOver.ts';

const settledMs = 60_000;

describe('releases with a changed event and a changed message, side by side', () => {
  const released: Release = { name: 'released', root };
  let [reading, writing]: (Release | undefined)[] = [];
  let servers: { mongod: TestServer; rabbit: TestServer; consul: TestServer };
  let shop: RealShop;
  let bus: EventBus;
  const databases: Connection[] = [];
  /** Release of each instance, by its name; the released one unless it stands here. */
  const runs = new Map<string, Release>();
  /** Messages on the bus by their schema version. */
  const heard: Record<number, number> = {};

  before(async () => {
    [reading, writing] = [await readingRelease(), await writingRelease()];
    const [mongod, rabbit, consul] = await Promise.all([startMongod(), startRabbit(), startConsul()]);
    servers = { mongod, rabbit, consul };
    shop = await startRealShop({
      ...{ mongodbUri: mongod.url, rabbitmqUrl: rabbit.url, consulUrl: consul.url },
      scale: serviceNames.map(name => `${name}=2`).join(','),
      rootOf: place => (runs.get(place.name) ?? released).root,
    });
    for (const name of ['order-service', 'user-service'])
      databases.push(createConnection(databaseUri(mongod.url, name)));
    for (const service of serviceNames) await untilKnown(consul.url, service, 2);
    bus = createRabbitBus({
      ...{ name: 'witness', url: rabbit.url, clock: () => new Date(), logger: silentLogger(), random: Math.random },
      registry: new Registry(),
    });
    await bus.listen({
      pattern: { exchange: 'orders', key: 'order.confirmed' },
      handle: async ({ schemaversion }) => {
        heard[schemaversion] = (heard[schemaversion] ?? 0) + 1;
      },
    });
  });
  after(async () => {
    await bus?.close();
    await shop?.stop();
    await Promise.all(databases.map(database => database.close()));
    await Promise.all(Object.values(servers ?? {}).map(server => server.close()));
    for (const release of [reading, writing]) if (release) rmSync(release.root, { recursive: true, force: true });
  });
  afterEach(() => assert.deepEqual(shop.ownFaults(), []));

  const ordersIn = (schema: number) => databases[0]!.collection('events').countDocuments({ 'events.schema': schema });
  const confirmed = () => databases[0]!.collection('events').countDocuments({ 'events.type': 'OrderConfirmed' });
  const counted = () => databases[1]!.collection('confirmed_orders').countDocuments();

  async function replace(instance: Instance, to: Release, signal: NodeJS.Signals): Promise<void> {
    runs.set(instance.name, to);
    await restart(instance, signal);
    if (instance.service !== 'gateway') await untilKnown(servers.consul.url, instance.service, 2);
  }

  /**
   * Replaces the instances of services one at a time, under load; the last of order-service by a kill, with orders under
   * way that others have to finish.
   */
  async function move(name: string, to: Release, services: readonly ServiceName[] = serviceNames): Promise<void> {
    const last = shop.instances('order-service').at(-1)!;
    const turns = [0, 1].flatMap(nth => services.map(service => shop.instances(service)[nth]!));
    const rate = await easyRate(shop, 20);
    await using load = await startLoad(shop, rate, { cancelOneIn: 10 });
    let replaced = 0;
    for (const instance of turns.filter(one => one !== last)) {
      await replace(instance, to, 'SIGTERM');
      replaced += 1;
      if (replaced === services.length) await compareInstances();
    }
    const report = await load.finish();

    const begun = await beginOrders(shop, last, databases[0]!);
    const killedAt = new Date();
    await replace(last, to, 'SIGKILL');
    const takenOver = await begun.finish(killedAt);
    const took = Math.round(await settled(shop, settledMs));
    const deadLetters = (await shop.send('GET', '/api/operations/dead-letters', { token: await shop.adminToken() }))
      .body;
    const figures = { replaced: replaced + 1, takenOver, deadLetters: deadLetters.items.length, settledMs: took };
    recordFigures(name, report, figures);
    assert.deepEqual(report.broken, []);
    assert.deepEqual(deadLetters.items, []);
    assert.ok(takenOver > 0, 'the others have finished orders that it had begun');
    await until(
      async () => (await counted()) === (await confirmed()),
      settledMs,
      async () => [await counted(), await confirmed()],
    );
    await expectNoFailure(shop, rate, report);
  }

  /** Both instances of order-service, of two releases just now, tell the same of the newest orders. */
  async function compareInstances(): Promise<void> {
    const token = await shop.adminToken();
    const [one, other] = shop.instances('order-service');
    assert.notEqual(runs.get(one!.name)?.name, runs.get(other!.name)?.name);
    const ask = async ({ port }: Instance, path: string) => {
      const { status, body } = await send(`http://127.0.0.1:${port}`, 'GET', path, { token });
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    };
    const { items } = (await shop.send('GET', '/api/orders?limit=10', { token })).body;
    for (const { id } of items as { id: string }[]) {
      const streams = await Promise.all([one!, other!].map(instance => ask(instance, `/api/orders/${id}/events`)));
      const [mine, theirs] = streams.map(({ items: events }) =>
        events.map(
          ({ version, type, at }: { version: number; type: string; at: string }) => `${version} ${type} ${at}`,
        ),
      );
      const version = Math.min(mine.length, theirs.length);
      assert.deepEqual(mine.slice(0, version), theirs.slice(0, version));
      const [order, same] = await Promise.all(
        [one!, other!].map(instance => ask(instance, `/api/orders/${id}?version=${version}`)),
      );
      assert.deepEqual(order, same);
    }
    assert.ok(items.length > 0);
    const audit = await shop.send('GET', '/api/operations/audit', { token });
    assert.deepEqual([audit.status, audit.body.findings], [200, []]);
  }

  /** `npm run rebuild-views` of each of these releases finds every stream readable and every view right. */
  async function rebuildAll(releases: readonly Release[]): Promise<void> {
    const DATA_DIR = mkdtempSync(join(tmpdir(), 'tradepost-upgrade-'));
    try {
      for (const release of releases) {
        const environment = { DATA_DIR, MONGODB_URI: servers.mongod.url };
        const said = await runIn(release.root, ['local/commands/rebuildViews.ts'], environment);
        assert.match(said, /^[1-9]\d* orders folded, 0 views mended$/m, release.name);
      }
    } finally {
      rmSync(DATA_DIR, { recursive: true, force: true });
    }
  }

  test('the later releases were made by the rules: they pass the checks of types and schemas', async () => {
    const checks = [
      'local/asyncapi/*.test.ts',
      'order-service/src/{domain,events}/*.test.ts',
      'shared/messaging/message.unit.test.ts',
    ];
    await runIn(reading!.root, ['node_modules/typescript/bin/tsc', '--noEmit']);
    for (const release of [reading!, writing!]) await runIn(release.root, ['tests/run.ts', ...checks]);
  });

  test('up to the release that reads what is new', async () => {
    await move('upgrade to the release that reads', reading!);
    assert.deepEqual([await ordersIn(2), heard[2]], [0, undefined], 'everything is written as before');
    await rebuildAll([released, reading!]);
  });

  test('and back', async () => {
    await replace(shop.instances('gateway')[0]!, reading!, 'SIGTERM');
    await move('downgrade from the release that reads', released);
    await rebuildAll([released, reading!]);
  });

  test('up again, and on to the release that writes it', async () => {
    for (const service of serviceNames)
      for (const instance of shop.instances(service)) await replace(instance, reading!, 'SIGTERM');
    await move('upgrade to the release that writes', writing!, ['user-service', 'order-service']);
    assert.ok((await ordersIn(2)) > 0 && (await ordersIn(1)) > 0 && (heard[2] ?? 0) > 0);
    await rebuildAll([reading!, writing!]);
  });

  test('and back to the one that reads it', async () => {
    await move('downgrade from the release that writes', reading!, ['order-service', 'user-service']);
    await rebuildAll([reading!, writing!]);
  });

  test('but not to the first one, which does not start, and says why; the shop goes on', async () => {
    const [instance] = shop.instances('order-service');
    const rate = await easyRate(shop, 4);
    await using load = await startLoad(shop, rate);
    const restarts = instance!.process.restarts();
    runs.set(instance!.name, released);
    instance!.process.signal('SIGTERM');
    const refusal = 'written by a later release: this one cannot read OrderCreated in schema 2';
    await until(
      () => shop.log().includes(refusal),
      settledMs,
      () => shop.log(),
    );
    await sleep(3_000);
    const refusedStarts = instance!.process.restarts() - restarts;
    runs.set(instance!.name, reading!);
    await untilKnown(servers.consul.url, 'order-service', 2);
    const report = await load.finish();
    recordFigures('a release too far back', report, { refusedStarts });
    assert.deepEqual(report.broken, []);
    await expectNoFailure(shop, rate, report);
    await settled(shop, settledMs);
  });
});
