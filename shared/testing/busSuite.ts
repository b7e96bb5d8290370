import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { durableQueue } from '../messaging/routing.ts';
import { busFailureSuite } from './busFailureSuite.ts';
import { busLifeSuite } from './busLifeSuite.ts';
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

/** What every event bus promises, as tests; each implementation runs all of them. */
export function busSuite(name: string, start: () => Promise<BusHarness>): void {
  describe(name, () => {
    let harness: BusHarness;
    before(async () => {
      harness = await start();
    });
    after(() => harness.close());

    const withBuses = busesOf(() => harness);

    test(
      'a queue gets the messages of its exchange and key and no others',
      withBuses(1, async bus => {
        const [kind, other, got] = [newKind(), newKind(), [] as number[]];
        await bus.subscribe({ service: newService(), message: kind, handle: async m => void got.push(m.data.n) });
        await bus.publish('orders', thing(other, 1));
        await bus.publish('payments', thing(kind, 2));
        await bus.publish('orders', thing(kind, 3));
        await eventually(() => got.length > 0);
        assert.deepEqual(got, [3]);
      }),
    );

    test(
      'a message arrives as it was sent',
      withBuses(1, async bus => {
        const kind = newKind();
        const sent = thing(kind, 7, {
          traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
          subject: 'Größe £ 🎁',
        });
        const got: unknown[] = [];
        await bus.subscribe({ service: newService(), message: kind, handle: async m => void got.push(m) });
        await bus.publish('orders', sent);
        await eventually(() => got.length > 0);
        assert.deepEqual(got, [sent]);
      }),
    );

    test(
      'patterns take one word for * and any number for #',
      withBuses(1, async bus => {
        const [made, lost] = [newKind('made'), newKind('lost')];
        const head = made.type.split('.')[0];
        const deep = { ...made, type: `${made.type}.twice` };
        const got: Record<string, string[]> = { star: [], hash: [], tail: [] };
        const listen = (name: string, key: string) =>
          bus.subscribe({
            service: newService(),
            pattern: { exchange: 'orders', key },
            handle: async m => void got[name]?.push(m.type),
          });
        await Promise.all([listen('star', `${head}.*`), listen('hash', `${head}.#`), listen('tail', '*.lost')]);
        for (const kind of [made, deep, lost]) await bus.publish('orders', thing(kind, 1));
        await eventually(
          () => got.star?.length === 1 && got.hash?.length === 2 && (got.tail?.length ?? 0) > 0,
          () => got,
        );
        assert.deepEqual(got.star, [made.type]);
        assert.deepEqual(got.hash?.toSorted(), [made.type, deep.type]);
        assert.ok(got.tail?.includes(lost.type));
      }),
    );

    test(
      'each queue gets its copy',
      withBuses(2, async (one, two) => {
        const [kind, a, b] = [newKind(), [] as number[], [] as number[]];
        const [first, second] = [newService(), newService()];
        const queues = [durableQueue(first, { message: kind }), durableQueue(second, { message: kind })];
        const publisher = await harness.create({ queues });
        await one.subscribe({ service: first, message: kind, handle: async m => void a.push(m.data.n) });
        await two.subscribe({ service: second, message: kind, handle: async m => void b.push(m.data.n) });
        await publishThings(publisher, kind, 20);
        await eventually(
          () => a.length >= 20 && b.length >= 20,
          () => [a, b],
        );
        assert.deepEqual([sorted(a), sorted(b)], [numbers(20), numbers(20)]);
        await publisher.close();
      }),
    );

    test(
      'consumers of one queue share its messages, each message going to one of them',
      withBuses(2, async (one, two) => {
        const [kind, service, got, other] = [newKind(), newService(), [] as number[], gate()];
        await one.subscribe({
          service,
          message: kind,
          handle: async m => {
            await other.opened;
            got.push(m.data.n);
          },
        });
        await two.subscribe({
          service,
          message: kind,
          handle: async m => {
            other.open();
            got.push(m.data.n);
          },
        });
        await publishThings(one, kind, 200);
        await eventually(
          () => got.length >= 200,
          () => got.length,
        );
        assert.deepEqual(sorted(got), numbers(200));
      }),
    );

    test(
      'two consumers in one instance share a queue too',
      withBuses(1, async bus => {
        const [kind, service, got, both] = [newKind(), newService(), [] as string[], gate()];
        const consume = (name: string) =>
          bus.subscribe({
            service,
            message: kind,
            concurrency: 1,
            handle: async () => {
              got.push(name);
              if (new Set(got).size === 2) both.open();
              await both.opened;
            },
          });
        await Promise.all([consume('a'), consume('b')]);
        await publishThings(bus, kind, 10);
        await eventually(
          () => got.length === 10,
          () => got,
        );
      }),
    );

    test(
      'handlers run in parallel up to the concurrency and never beyond',
      withBuses(1, async bus => {
        const [kind, hold] = [newKind(), gate()];
        let [running, most, handled] = [0, 0, 0];
        await bus.subscribe({
          service: newService(),
          message: kind,
          concurrency: 3,
          handle: async () => {
            running += 1;
            most = Math.max(most, running);
            if (running === 3) hold.open();
            await hold.opened;
            await new Promise(resolve => setImmediate(resolve));
            running -= 1;
            handled += 1;
          },
        });
        await publishThings(bus, kind, 60);
        await eventually(
          () => handled === 60,
          () => ({ handled, running }),
        );
        assert.equal(most, 3);
      }),
    );

    busLifeSuite(() => harness);
    busFailureSuite(() => harness.create());
  });
}
