import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { eventually, gate, newKind, newService, publishThings, thing } from '../testing/busSuiteTools.ts';
import { type FaultyLink, startFaultyLink } from '../testing/faultyLink.ts';
import { useRabbit } from '../testing/rabbitTestBroker.ts';
import { BusUnavailableError, UnroutableMessageError } from './eventBus.ts';
import { createRabbitBus } from './rabbitBus.ts';
import { durableQueue } from './routing.ts';

interface Failed {
  err: unknown;
}

const url = process.env.RABBITMQ_URL;

/** A method frame on channel 0, as the broker sends it (AMQP 0-9-1, section 4.2.3). */
function connectionMethod(method: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(12 + payload.length);
  frame.writeUInt8(1, 0);
  frame.writeUInt32BE(4 + payload.length, 3);
  frame.writeUInt16BE(10, 7);
  frame.writeUInt16BE(method, 9);
  payload.copy(frame, 11);
  frame.writeUInt8(0xce, 11 + payload.length);
  return frame;
}

function rabbitFaults(address: string): void {
  let broker: Awaited<ReturnType<typeof useRabbit>>;
  let link: FaultyLink;
  let linked: string;
  before(async () => {
    broker = await useRabbit(address);
    const real = new URL(address);
    link = await startFaultyLink({ host: real.hostname, port: Number(real.port || 5672) });
    real.host = `127.0.0.1:${link.port}`;
    linked = real.href;
  });
  after(async () => {
    await link.close();
    await broker.close();
  });

  test('a lost connection refuses publishing at once and everything resumes when the broker is back', async () => {
    const [kind, service, got, heard] = [newKind(), newService(), [] as number[], [] as number[]];
    const [bus, other] = [await broker.create({ url: linked }), await broker.create()];
    let gaps = 0;
    await bus.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
    await bus.listen({
      message: kind,
      handle: async m => void heard.push(m.data.n),
      onGap: async () => {
        gaps += 1;
      },
    });
    await bus.publish('orders', thing(kind, 1));
    await eventually(() => got.length === 1 && heard.length === 1);
    link.cut();
    await eventually(() => bus.status() === 'down');
    await assert.rejects(bus.publish('orders', thing(kind, 2)), BusUnavailableError);
    await other.publish('orders', thing(kind, 3));
    link.mend();
    await eventually(
      () => got.includes(3) && gaps === 1 && bus.status() === 'up',
      () => ({ got, gaps }),
    );
    await bus.publish('orders', thing(kind, 4));
    await eventually(
      () => got.includes(4) && heard.includes(4),
      () => ({ got, heard }),
    );
    // An acknowledgement may have been lost with the connection: the first one may come twice.
    assert.deepEqual(
      [[...new Set(got)], heard],
      [
        [1, 3, 4],
        [1, 4],
      ],
    );
    await Promise.all([bus.close(), other.close()]);
  });

  test('what was being handled when the connection went comes again, within the concurrency', async () => {
    const [kind, hold] = [newKind(), gate()];
    const bus = await broker.create({ url: linked });
    let [begun, running, most] = [0, 0, 0];
    const done = new Set<number>();
    await bus.subscribe({
      service: newService(),
      message: kind,
      concurrency: 2,
      handle: async m => {
        begun += 1;
        running += 1;
        most = Math.max(most, running);
        await hold.opened;
        running -= 1;
        done.add(m.data.n);
      },
    });
    await publishThings(bus, kind, 6);
    await eventually(() => begun === 2);
    link.cut();
    await eventually(() => bus.status() === 'down');
    link.mend();
    await eventually(() => bus.status() === 'up');
    hold.open();
    await eventually(
      () => done.size === 6,
      () => [...done],
    );
    assert.ok(begun >= 8, `the first two came again: ${begun}`);
    assert.equal(most, 2);
    await bus.close();
  });

  test('a broker that hangs: publishing times out, little is kept, and a new connection is made', async () => {
    const kind = newKind();
    const bus = await broker.create({ url: linked, confirmTimeoutMs: 200, maxInFlight: 5, heartbeatSeconds: 1 });
    link.freeze();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 80 }, (_, n) => bus.publish('orders', thing(kind, n))),
    );
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof BusUnavailableError, `${outcome.status}`);
    }
    const reasons = outcomes.map(outcome => String((outcome as PromiseRejectedResult).reason.message));
    assert.equal(reasons.filter(reason => /did not confirm/.test(reason)).length, 5);
    assert.ok(reasons.some(reason => /too many/.test(reason)));
    await eventually(() => bus.status() === 'down');
    await eventually(() => bus.status() === 'up');
    await bus.publish('orders', thing(kind, 1));
    await bus.close();
  });

  test('a broker that blocks publishers gets nothing until it unblocks', async () => {
    const kind = newKind();
    const bus = await broker.create({ url: linked });
    const reason = Buffer.from('low on memory');
    link.inject(connectionMethod(60, Buffer.concat([Buffer.from([reason.length]), reason])));
    await eventually(() => bus.status() === 'down');
    await assert.rejects(bus.publish('orders', thing(kind, 1)), /low on memory/);
    link.inject(connectionMethod(61, Buffer.alloc(0)));
    await eventually(() => bus.status() === 'up');
    await bus.publish('orders', thing(kind, 2));
    await bus.close();
  });

  test('a deleted queue is made again and consumed', async () => {
    const [kind, service, got] = [newKind(), newService(), [] as number[]];
    const [bus, admin] = [await broker.create(), await broker.admin()];
    await bus.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
    await admin.deleteQueue(broker.names.queue(`${service}.${kind.type}`));
    await eventually(async () => {
      await bus.publish('orders', thing(kind, 1)).catch(() => {});
      return got.length > 0;
    });
    await admin.close();
    await bus.close();
  });

  test('a channel that the broker closes is opened again: the consumer cannot declare its queue for a while', async () => {
    const [kind, service, got] = [newKind(), newService(), [] as number[]];
    const [bus, admin] = [await broker.create(), await broker.admin()];
    await bus.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
    const queue = broker.names.queue(`${service}.${kind.type}`);
    // A queue of the same name and other arguments: declaring ours closes the channel with 406.
    await admin.deleteQueue(queue);
    await eventually(async () => {
      const channel = await broker.admin();
      channel.on('error', () => {});
      try {
        await channel.assertQueue(queue, { durable: true });
        await channel.close();
        return true;
      } catch {
        await admin.deleteQueue(queue);
        return false;
      }
    });
    const { consumerCount } = await admin.checkQueue(queue);
    assert.equal(consumerCount, 0);
    await admin.deleteQueue(queue);
    await eventually(async () => {
      await bus.publish('orders', thing(kind, 1)).catch(() => {});
      return got.length > 0;
    });
    await admin.close();
    await bus.close();
  });

  test('a message that no queue takes any more is not published, and the binding is repaired', async () => {
    const [kind, service, got] = [newKind(), newService(), [] as number[]];
    const queue = durableQueue(service, { message: kind });
    const [bus, admin] = [await broker.create({ queues: [queue] }), await broker.admin()];
    await bus.publish('orders', thing(newKind(), 1));
    const name = broker.names.queue(`${service}.${kind.type}`);
    await admin.unbindQueue(name, broker.names.exchange('orders'), kind.type);
    await assert.rejects(bus.publish('orders', thing(kind, 2)), UnroutableMessageError);
    await eventually(() =>
      bus.publish('orders', thing(kind, 3)).then(
        () => true,
        () => false,
      ),
    );
    await bus.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
    await eventually(() => got.length > 0);
    assert.deepEqual(got, [3]);
    await admin.close();
    await bus.close();
  });

  test('a publishing channel that the broker closes (its exchange was deleted) is opened again', async () => {
    const [kind, got] = [newKind(), [] as number[]];
    const [bus, admin] = [await broker.create(), await broker.admin()];
    await bus.subscribe({ service: newService(), message: kind, handle: async m => void got.push(m.data.n) });
    await admin.deleteExchange(broker.names.exchange('orders'));
    await assert.rejects(bus.publish('orders', thing(kind, 1)), BusUnavailableError);
    await eventually(async () => {
      await bus.publish('orders', thing(kind, 2)).catch(() => {});
      return got.length > 0;
    });
    assert.ok(!got.includes(1));
    await admin.close();
    await bus.close();
  });

  test('the next of several addresses is taken when one does not answer', async () => {
    const bus = await broker.create({ url: `amqp://127.0.0.1:1, ${address}` });
    await bus.publish('orders', thing(newKind(), 1));
    await bus.close();
  });

  test('queues that are there with another number of nodes are named, and taken once they are gone', async () => {
    const [kind, service, got, errors] = [newKind(), newService(), [] as number[], [] as string[]];
    const own = await useRabbit(address);
    const first = await own.create();
    await first.subscribe({ service, message: kind, handle: async () => {} });
    await first.close();
    const logger = { ...silentLogger(), error: (fields: object) => void errors.push(String((fields as Failed).err)) };
    const bus = createRabbitBus({
      ...{ url: address, prefix: own.prefix, name: 'test', clock: systemClock, random: Math.random, quorumSize: 3 },
      logger: logger as Logger,
    });
    const consuming = bus.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
    const queue = own.names.dead(service);
    await eventually(() => errors.some(error => error.includes(`the queue ${queue} is on the broker`)));
    assert.match(
      errors.join('\n'),
      /inequivalent arg 'x-quorum-initial-group-size'.* Delete it once it is empty, or set/s,
    );
    assert.equal(bus.status(), 'down');
    const admin = await own.admin();
    for (const name of own.queues()) await admin.deleteQueue(name);
    await consuming;
    await eventually(() => bus.status() === 'up');
    await bus.publish('orders', thing(kind, 1));
    await eventually(() => got.length === 1);
    await bus.close();
    await own.close();
  });

  test('what is no JSON, and what the broker itself gave up, are dead letters like others', async () => {
    const [kind, service] = [newKind(), newService()];
    const [bus, admin] = [await broker.create(), await broker.admin()];
    const consumer = await bus.subscribe({ service, message: kind, handle: async () => {} });
    const exchange = broker.names.exchange('orders');
    admin.publish(exchange, kind.type, Buffer.from('not JSON £'));
    const queue = `${service}.${kind.type}`;
    const letters = () => bus.deadLetters({ queue, limit: 10 });
    await eventually(async () => (await letters()).length === 1);
    await consumer.stop();
    await bus.publish('orders', thing(kind, 7));
    let rejections = 0;
    await admin.consume(broker.names.queue(queue), message => {
      if (!message) return;
      rejections += 1;
      admin.reject(message, true);
    });
    await eventually(
      async () => (await letters()).length === 2,
      () => rejections,
    );
    const found = await letters();
    assert.ok(found.some(letter => letter.message === 'not JSON £'));
    const unanswered = found.find(letter => (letter.message as { subject?: string }).subject === '7');
    assert.match(unanswered?.error ?? '', /delivery_limit/);
    assert.ok(await bus.replay(unanswered?.id ?? ''));
    await admin.close();
    await bus.close();
  });
}

if (url) describe('RabbitMQ bus when the broker fails', () => rabbitFaults(url));
