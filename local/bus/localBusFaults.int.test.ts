import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { type Clock, systemClock } from '@tradepost/shared/clock';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { BusUnavailableError } from '@tradepost/shared/messaging/eventBus';
import { createConnection } from '@tradepost/shared/mongo';
import {
  crashKind,
  eventually,
  gate,
  newKind,
  newService,
  publishThings,
  thing,
} from '@tradepost/shared/testing/busSuiteTools';
import { startFaultyLink } from '@tradepost/shared/testing/faultyLink';
import { startDocumentStore } from '../store/documentStore.ts';
import { startTestDatabase } from '../testing.ts';
import { createLocalBus, type LocalBusOptions } from './localBus.ts';

async function withConnection(
  body: (parts: {
    uri: string;
    connection: ReturnType<typeof createConnection>;
    create(options?: Partial<LocalBusOptions>): ReturnType<typeof createLocalBus>;
  }) => Promise<void>,
) {
  const database = await startTestDatabase();
  const uri = database.uri('bus');
  const connection = createConnection(uri);
  const common = { connection, clock: systemClock, newId, logger: silentLogger(), pollMs: 20 };
  try {
    await body({ uri, connection, create: options => createLocalBus({ ...common, ...options }) });
  } finally {
    await connection.dropDatabase();
    await connection.close();
    await database.close();
  }
}

test('killed with SIGKILL again and again, the process loses no message', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tradepost-bus-'));
  const path = join(folder, 'store.sqlite');
  const seen = { published: new Set<number>(), handled: new Set<number>() };
  let next = 0;
  for (let run = 0; run < 5; run += 1) {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'crashingProcess.testing.ts'), path, String(next)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let lines = 0;
    // Killed in the middle of its work, at another point of it in every run.
    for await (const line of createInterface({ input: child.stdout })) {
      const [what, n] = line.split(' ') as ['published' | 'handled', string];
      seen[what].add(Number(n));
      lines += 1;
      if (lines === 60 + run * 37) child.kill('SIGKILL');
    }
    next = Math.max(...seen.published) + 10;
  }
  const store = await startDocumentStore({ path, port: 0 });
  const connection = createConnection(store.uri('bus'));
  const bus = await createLocalBus({
    connection,
    clock: systemClock,
    newId,
    logger: silentLogger(),
    exclusive: true,
    pollMs: 20,
  });
  await bus.subscribe({
    service: 'crash-service',
    message: crashKind,
    handle: async m => void seen.handled.add(m.data.n),
  });
  await eventually(
    () => [...seen.published].every(n => seen.handled.has(n)),
    () => [...seen.published].filter(n => !seen.handled.has(n)),
  );
  assert.ok(seen.published.size > 100, `${seen.published.size}`);
  assert.deepEqual(await bus.deadLetters({ limit: 10 }), []);
  await bus.close();
  await connection.close();
  await store.close();
  await rm(folder, { recursive: true });
});

test('a lease is renewed as long as its handler runs', () =>
  withConnection(async ({ connection, create }) => {
    let now = Date.now();
    const clock: Clock = () => new Date(now);
    const [kind, service, hold] = [newKind(), newService(), gate()];
    const options = { clock, leaseMs: 10_000 };
    const first = await create(options);
    let [held, taken] = [0, 0];
    await first.subscribe({
      service,
      message: kind,
      handle: async () => {
        held += 1;
        await hold.opened;
      },
    });
    await publishThings(first, kind, 1);
    await eventually(() => held === 1);
    const second = await create(options);
    await second.subscribe({ service, message: kind, handle: async () => void (await Promise.resolve(++taken)) });
    const leaseEnd = async () => {
      const row = await connection
        .collection<{ queue: string; visibleAt: Date }>('messages')
        .findOne({ queue: `${service}.${kind.type}` });
      return row?.visibleAt.getTime() ?? 0;
    };
    for (let step = 0; step < 10; step += 1) {
      now += 4_000;
      await eventually(async () => (await leaseEnd()) === now + 10_000);
    }
    assert.deepEqual({ held, taken }, { held: 1, taken: 0 });
    hold.open();
    await Promise.all([first.close(), second.close()]);
  }));

test('another instance takes over what an instance that does not renew had claimed', () =>
  withConnection(async ({ create }) => {
    let now = Date.now();
    const clock: Clock = () => new Date(now);
    const [kind, service, hold, got] = [newKind(), newService(), gate(), [] as number[]];
    const frozen = await create({ clock, pollMs: 3_600_000 });
    await frozen.subscribe({ service, message: kind, handle: () => hold.opened });
    await publishThings(frozen, kind, 3);
    const next = await create({ clock });
    await next.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
    now += 10_001;
    await eventually(
      () => got.length === 3,
      () => got,
    );
    hold.open();
    await Promise.all([frozen.close(), next.close()]);
    assert.equal(got.length, 3);
  }));

test('the only process on the store takes at once what a killed one had claimed', () =>
  withConnection(async ({ create }) => {
    const [kind, service, hold, got] = [newKind(), newService(), gate(), [] as number[]];
    const dead = await create({ leaseMs: 3_600_000 });
    await dead.subscribe({ service, message: kind, handle: () => hold.opened });
    await publishThings(dead, kind, 3);
    const next = await create({ leaseMs: 3_600_000, exclusive: true });
    await next.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
    await eventually(
      () => got.length === 3,
      () => got,
    );
    hold.open();
    await Promise.all([dead.close(), next.close()]);
  }));

test('a message that nobody ever answers for is a dead letter after 20 deliveries', () =>
  withConnection(async ({ connection, create }) => {
    const [kind, service] = [newKind(), newService()];
    const bus = await create();
    const consumer = await bus.subscribe({ service, message: kind, handle: async () => {} });
    await consumer.stop();
    await publishThings(bus, kind, 1);
    await connection.collection('messages').updateMany({}, { $set: { deliveries: 20 } });
    let handled = 0;
    await bus.subscribe({ service, message: kind, handle: async () => void (await Promise.resolve(++handled)) });
    await eventually(async () => (await bus.deadLetters({ limit: 10 })).length === 1);
    assert.match((await bus.deadLetters({ limit: 10 }))[0]?.error ?? '', /no answer in 20 deliveries/);
    assert.equal(handled, 0);
    await bus.close();
  }));

test('without its store the bus refuses messages, and works on when the store is back', () =>
  withConnection(async ({ uri, create }) => {
    const real = new URL(uri);
    const link = await startFaultyLink({ host: real.hostname, port: Number(real.port) });
    real.port = String(link.port);
    const connection = createConnection(real.href);
    const [kind, got] = [newKind(), [] as number[]];
    const bus = await create({ connection });
    await bus.subscribe({ service: newService(), message: kind, handle: async m => void got.push(m.data.n) });
    link.cut();
    await assert.rejects(bus.publish('orders', thing(kind, 1)), BusUnavailableError);
    assert.equal(bus.status(), 'down');
    link.mend();
    await eventually(() =>
      bus.publish('orders', thing(kind, 2)).then(
        () => true,
        () => false,
      ),
    );
    await eventually(
      () => got.includes(2),
      () => got,
    );
    await eventually(() => bus.status() === 'up');
    await bus.close();
    await connection.close();
    await link.close();
  }));
