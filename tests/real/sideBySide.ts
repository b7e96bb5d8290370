import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepSecrets, openDataFolder } from '@tradepost/local/dataFolder';
import { databaseUri } from '@tradepost/local/infrastructure';
import type { Instance } from '@tradepost/local/processes/fleet';
import { send, type TestAnswer } from '@tradepost/local/testing';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { silentLogger } from '@tradepost/shared/logger';
import { createRabbitBus } from '@tradepost/shared/messaging/rabbitBus';
import { createConnection } from '@tradepost/shared/mongo';
import { Registry } from 'prom-client';
import { restart, untilKnown } from './instances.ts';
import { easyRate, expectNoFailure, recordFigures, startLoad } from './load.ts';
import { type RealShop, settled, startRealShop, until } from './realShop.ts';
import { type Release, runIn } from './releases.ts';
import { startConsul, startMongod, startRabbit, type TestServer } from './servers.ts';
import { beginOrders } from './takeOver.ts';

export const settledMs = 60_000;

/** The shop as two instances of each service, of which each runs its own release. */
export interface SideBySide {
  shop: RealShop;
  /** Messages `order.confirmed` that were published, by their schema version. */
  heard: Readonly<Record<number, number>>;
  /** Release that an instance has at its next start. */
  plan(instance: Instance, to: Release): void;
  /** Has an instance start again with a release, and waits until all others know it. */
  replace(instance: Instance, to: Release, signal?: NodeJS.Signals): Promise<void>;
  known(service: ServiceName): Promise<void>;
  /**
   * Replaces the instances of services one at a time, under load; the last of order-service by a kill, with orders under
   * way that the others, which all have the new release by then, must finish. No request fails, no order and no message is
   * lost, and half way both releases tell the same.
   */
  move(name: string, to: Release, services: readonly ServiceName[]): Promise<void>;
  /** Commits with an event of this schema version. */
  commitsIn(schema: number): Promise<number>;
  /** `npm run rebuild-views` of each of these releases finds every stream readable and every view right. */
  rebuildViews(releases: readonly Release[]): Promise<void>;
  close(): Promise<void>;
}

/** Starts the servers, and the shop with one release everywhere. */
export async function startSideBySide(first: Release): Promise<SideBySide> {
  const [runs, heard] = [new Map<string, Release>(), {} as Record<number, number>];
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of closing.reverse()) await end();
  };
  const server = async (start: () => Promise<TestServer>): Promise<string> => {
    const started = await start();
    closing.push(started.close);
    return started.url;
  };
  try {
    const mongodbUri = await server(startMongod);
    const rabbitmqUrl = await server(startRabbit);
    const consulUrl = await server(startConsul);
    const shop = await startRealShop({
      ...{ mongodbUri, rabbitmqUrl, consulUrl },
      scale: serviceNames.map(name => `${name}=2`).join(','),
      rootOf: place => (runs.get(place.name) ?? first).root,
    });
    closing.push(shop.stop);
    const [orders, users] = (['order-service', 'user-service'] as const).map(name => {
      const connection = createConnection(databaseUri(mongodbUri, name));
      closing.push(() => connection.close());
      return connection;
    });
    const bus = createRabbitBus({
      ...{ name: 'witness', url: rabbitmqUrl, clock: () => new Date(), logger: silentLogger(), random: Math.random },
      registry: new Registry(),
    });
    closing.push(() => bus.close());
    await bus.listen({
      pattern: { exchange: 'orders', key: 'order.confirmed' },
      handle: async ({ schemaversion }) => {
        heard[schemaversion] = (heard[schemaversion] ?? 0) + 1;
      },
    });
    const known = (service: ServiceName) => untilKnown(consulUrl, service, 2);
    for (const service of serviceNames) await known(service);
    const releaseOf = (instance: Instance) => runs.get(instance.name) ?? first;

    const replace: SideBySide['replace'] = async (instance, to, signal = 'SIGTERM') => {
      runs.set(instance.name, to);
      await restart(instance, signal);
      if (instance.service !== 'gateway') await known(instance.service);
    };
    /** Every confirmed order has been counted by user-service, which hears of it by a message. */
    const allCounted = () =>
      until(async () => {
        const confirmed = await orders!.collection('events').countDocuments({ 'events.type': 'OrderConfirmed' });
        return (await users!.collection('confirmed_orders').countDocuments()) === confirmed;
      }, settledMs);

    return {
      ...{ shop, heard, replace, known, close },
      plan: (instance, to) => void runs.set(instance.name, to),
      async move(name, to, services) {
        const last = shop.instances('order-service').at(-1)!;
        const turns = [0, 1].flatMap(nth => services.map(service => shop.instances(service)[nth]!));
        const rate = await easyRate(shop, 20);
        await using load = await startLoad(shop, rate, { cancelOneIn: 10 });
        let replaced = 0;
        for (const instance of turns.filter(one => one !== last)) {
          await replace(instance, to);
          replaced += 1;
          if (replaced === services.length) await compareReleases(shop, releaseOf);
        }
        const report = await load.finish();

        const begun = await beginOrders(shop, last, orders!);
        const killedAt = new Date();
        await replace(last, to, 'SIGKILL');
        const takenOver = await begun.finish(killedAt);
        const took = Math.round(await settled(shop, settledMs));
        await allCounted();
        const { items } = (await shop.send('GET', '/api/operations/dead-letters', { token: await shop.adminToken() }))
          .body;
        const figures = { replaced: replaced + 1, takenOver, deadLetters: items.length, settledMs: took };
        recordFigures(name, report, figures);
        assert.deepEqual(report.broken, []);
        assert.deepEqual(items, [], 'dead letters');
        assert.ok(takenOver > 0, 'the others have finished what it had begun');
        await expectNoFailure(shop, rate, report);
      },
      commitsIn: schema => orders!.collection('events').countDocuments({ 'events.schema': schema }),
      rebuildViews: releases => rebuildViews(mongodbUri, releases),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The two instances of order-service, of two releases just now, tell the same of the newest orders, and the books are clean. */
async function compareReleases(shop: RealShop, releaseOf: (instance: Instance) => Release): Promise<void> {
  const token = await shop.adminToken();
  const both = shop.instances('order-service');
  assert.equal(new Set(both.map(releaseOf)).size, 2);
  const ask = (path: string) =>
    Promise.all(
      both.map(async ({ port }) => {
        const { status, body } = await send(`http://127.0.0.1:${port}`, 'GET', path, { token });
        assert.equal(status, 200, JSON.stringify(body));
        return body;
      }),
    );
  // What a busy machine does not answer in time says nothing of the releases.
  const answered = async (path: string) => {
    let answer: TestAnswer | undefined;
    await until(
      async () => {
        answer = await shop.send('GET', path, { token }).catch(() => undefined);
        return answer?.status === 200;
      },
      settledMs,
      () => answer,
    );
    return answer?.body;
  };
  const { items } = await answered('/api/orders?limit=10');
  assert.ok(items.length > 0);
  for (const { id } of items as { id: string }[]) {
    const streams = (await ask(`/api/orders/${id}/events`)).map(({ items: events }) =>
      events.map(({ version, type, at }: { version: number; type: string; at: string }) => `${version} ${type} ${at}`),
    );
    // The order may have gone on between the two answers.
    const version = Math.min(...streams.map(stream => stream.length));
    assert.deepEqual(streams[0].slice(0, version), streams[1].slice(0, version));
    const [one, other] = await ask(`/api/orders/${id}?version=${version}`);
    assert.deepEqual(one, other);
  }
  assert.deepEqual((await answered('/api/operations/audit')).findings, []);
}

async function rebuildViews(mongodbUri: string, releases: readonly Release[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-upgrade-'));
  try {
    const data = openDataFolder(folder);
    keepSecrets(data);
    data.release();
    for (const { name, root } of releases) {
      const environment = { DATA_DIR: folder, MONGODB_URI: mongodbUri };
      const said = await runIn(root, ['local/commands/rebuildViews.ts'], environment);
      assert.match(said, /^[1-9]\d* orders folded, 0 views mended$/m, name);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
