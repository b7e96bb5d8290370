import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusUnavailableError } from '../messaging/eventBus.ts';
import { InvalidMessageError } from '../messaging/message.ts';
import { durableQueue } from '../messaging/routing.ts';
import {
  type BusHarness,
  busesOf,
  eventually,
  gate,
  newKind,
  newService,
  numbers,
  publishThings,
  sorted,
  thing,
} from './busSuiteTools.ts';

/** The part of the bus suite about consumers that come and go, listeners, and a bus that closes. */
export function busLifeSuite(current: () => BusHarness): void {
  const withBuses = busesOf(current);

  test('a queue keeps its messages while nobody consumes, and from before the first consumer when it is declared', async () => {
    const [kind, early, service, got] = [newKind(), newKind(), newService(), [] as number[]];
    const queues = [early, kind].map(message => durableQueue(service, { message }));
    const first = await current().create({ queues });
    const consumer = await first.subscribe({ service, message: kind, handle: async () => {} });
    await consumer.stop();
    await publishThings(first, kind, 10);
    await publishThings(first, early, 5);
    await first.close();
    const second = await current().create();
    const handle = async (m: { data: { n: number } }) => void got.push(m.data.n);
    await second.subscribe({ service, message: kind, handle });
    await eventually(
      () => got.length >= 10,
      () => got,
    );
    await second.subscribe({ service, message: early, handle });
    await eventually(
      () => got.length >= 15,
      () => got,
    );
    assert.deepEqual(sorted(got), sorted([...numbers(10), ...numbers(5)]));
    await second.close();
  });

  test('close waits for running handlers, and what they finished does not come again', async () => {
    const [kind, service, running, hold] = [newKind(), newService(), gate(), gate()];
    const order: string[] = [];
    const bus = await current().create();
    await bus.subscribe({
      service,
      message: kind,
      concurrency: 1,
      handle: async () => {
        running.open();
        await hold.opened;
        order.push('handled');
      },
    });
    await publishThings(bus, kind, 3);
    await running.opened;
    const closing = bus.close().then(() => order.push('closed'));
    hold.open();
    await closing;
    assert.deepEqual(order, ['handled', 'closed']);
    const got: number[] = [];
    const next = await current().create();
    await next.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
    await eventually(
      () => got.length >= 2,
      () => got,
    );
    await next.publish('orders', thing(kind, 99));
    await eventually(
      () => got.includes(99),
      () => got,
    );
    assert.equal(got.length, 3, `two were left and one is new: ${got}`);
    await next.close();
  });

  test(
    'a stopped consumer gets nothing more and another one goes on',
    withBuses(1, async bus => {
      const [kind, service] = [newKind(), newService()];
      const got = { a: 0, b: 0 };
      const consume = (name: 'a' | 'b') =>
        bus.subscribe({
          service,
          message: kind,
          handle: async () => {
            got[name] += 1;
          },
        });
      const a = await consume('a');
      await publishThings(bus, kind, 5);
      await eventually(
        () => got.a === 5,
        () => got,
      );
      await a.stop();
      await consume('b');
      await publishThings(bus, kind, 5);
      await eventually(
        () => got.b === 5,
        () => got,
      );
      assert.equal(got.a, 5);
    }),
  );

  test(
    'every listening instance hears every message',
    withBuses(2, async (one, two) => {
      const [kind, a, b] = [newKind(), [] as number[], [] as number[]];
      const other = current().listenersSpanInstances ? two : one;
      await one.listen({ message: kind, handle: async m => void a.push(m.data.n) });
      const stopped = await other.listen({
        pattern: { exchange: 'orders', key: `${kind.type.split('.')[0]}.*` },
        handle: async m => void b.push((m.data as { n: number }).n),
      });
      await publishThings(one, kind, 20);
      await eventually(
        () => a.length === 20 && b.length === 20,
        () => [a, b],
      );
      await stopped.stop();
      await publishThings(one, kind, 1);
      await eventually(
        () => a.length === 21,
        () => a,
      );
      assert.equal(b.length, 20);
    }),
  );

  test(
    'a listener that fails is told to reload, again until it can, and hears on',
    withBuses(1, async bus => {
      const [kind, got] = [newKind(), [] as number[]];
      let reloads = 0;
      await bus.listen({
        message: kind,
        handle: async m => {
          if (m.data.n === 0) throw new Error('cache is broken');
          got.push(m.data.n);
        },
        onGap: async () => {
          reloads += 1;
          if (reloads === 1) throw new Error('cannot reload yet');
        },
      });
      await publishThings(bus, kind, 3);
      await eventually(
        () => reloads === 2 && got.length === 2,
        () => [reloads, got],
      );
    }),
  );

  test('status tells whether the bus works; a closed one refuses', async () => {
    const bus = await current().create();
    await eventually(() => bus.status() === 'up');
    await bus.close();
    assert.equal(bus.status(), 'down');
    await assert.rejects(bus.publish('orders', thing(newKind(), 1)), BusUnavailableError);
    await assert.rejects(
      bus.subscribe({ service: newService(), message: newKind(), handle: async () => {} }),
      BusUnavailableError,
    );
  });

  test('a bus with a table of queues refuses a subscription that is missing there', async () => {
    const [kind, service] = [newKind(), newService()];
    const bus = await current().create({ queues: [durableQueue(service, { message: kind })] });
    await bus.subscribe({ service, message: kind, handle: async () => {} });
    await assert.rejects(bus.subscribe({ service, message: newKind(), handle: async () => {} }), TypeError);
    await bus.close();
  });

  test(
    'a message that is too large is refused',
    withBuses(1, async bus => {
      const large = { ...thing(newKind(), 1), subject: 'x'.repeat(1024 * 1024) };
      await assert.rejects(bus.publish('orders', large), InvalidMessageError);
    }),
  );
}
