import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventBus } from '../messaging/eventBus.ts';
import { eventually, newKind, newService, numbers, publishThings, sorted, thing } from './busSuiteTools.ts';

/** The part of the bus suite in which handlers fail. */
export function busFailureSuite(create: () => Promise<EventBus>): void {
  const withBus = (body: (bus: EventBus) => Promise<void>) => async () => {
    const bus = await create();
    try {
      await body(bus);
    } finally {
      await bus.close();
    }
  };

  test(
    'a failed message comes again after growing delays, until it succeeds',
    withBus(async bus => {
      const [kind, service, times] = [newKind(), newService(), [] as number[]];
      await bus.subscribe({
        service,
        message: kind,
        retryDelaysMs: [40, 120],
        handle: async () => {
          times.push(performance.now());
          if (times.length < 3) throw new Error(`attempt ${times.length}`);
        },
      });
      await publishThings(bus, kind, 1);
      await eventually(
        () => times.length === 3,
        () => times,
      );
      const [first, second, third] = times as [number, number, number];
      assert.ok(second - first >= 39 && third - second >= 119, `too early: ${second - first}, ${third - second} ms`);
      assert.deepEqual(await bus.deadLetters({ queue: `${service}.${kind.type}`, limit: 10 }), []);
    }),
  );

  test(
    'what keeps failing is a dead letter after exactly its attempts, and good messages are not held up',
    withBus(async bus => {
      const [kind, service, good] = [newKind(), newService(), [] as number[]];
      const attempts = new Map<number, number>();
      await bus.subscribe({
        service,
        message: kind,
        retryDelaysMs: [10, 20, 10, 20],
        handle: async m => {
          attempts.set(m.data.n, (attempts.get(m.data.n) ?? 0) + 1);
          if (m.data.n < 20) throw new Error(`poison ${m.data.n}`);
          good.push(m.data.n);
        },
      });
      await publishThings(bus, kind, 120);
      const queue = `${service}.${kind.type}`;
      await eventually(
        () => good.length === 100,
        () => good.length,
      );
      await eventually(async () => (await bus.deadLetters({ queue, limit: 100 })).length >= 20);
      const letters = await bus.deadLetters({ queue, limit: 100 });
      assert.equal(letters.length, 20);
      for (const letter of letters) {
        const { n } = (letter.message as { data: { n: number } }).data;
        assert.equal(attempts.get(n), 5);
        assert.deepEqual(
          { queue: letter.queue, error: letter.error, attempts: letter.attempts },
          { queue, error: `Error: poison ${n}`, attempts: 5 },
        );
        assert.ok(Date.parse(letter.deadAt) <= Date.now() && /^[\w.-]+$/.test(letter.id));
      }
      assert.deepEqual(sorted(good), numbers(120).slice(20));
    }),
  );

  test(
    'a message that does not fit its contract is a dead letter at once, unseen by the handler',
    withBus(async bus => {
      const [kind, service, got] = [newKind(), newService(), [] as number[]];
      await bus.subscribe({ service, message: kind, handle: async m => void got.push(m.data.n) });
      await bus.publish('orders', thing(kind, 1, { schemaversion: 0 }));
      await bus.publish('orders', thing(kind, 2, { data: { n: 'two' } }));
      await bus.publish('orders', thing(kind, 3, { time: 'yesterday' }));
      await bus.publish('orders', thing(kind, 4));
      const queue = `${service}.${kind.type}`;
      await eventually(async () => (await bus.deadLetters({ queue, limit: 10 })).length === 3);
      await eventually(() => got.length > 0);
      assert.deepEqual(got, [4]);
      const letters = await bus.deadLetters({ queue, limit: 10 });
      const errorOf = (n: string) =>
        letters.find(one => (one.message as { subject: string }).subject === n)?.error ?? '';
      assert.match(errorOf('1'), /schemaversion/);
      assert.match(errorOf('2'), /data of/);
      assert.match(errorOf('3'), /envelope/);
      assert.deepEqual(
        letters.map(letter => letter.attempts),
        [1, 1, 1],
      );
    }),
  );

  test(
    'a message of a later release is tried again until an instance of that release takes it',
    withBus(async bus => {
      const [kind, service, got] = [newKind(), newService(), [] as number[]];
      const retryDelaysMs = Array.from({ length: 200 }, () => 100);
      const handle = async (message: { data: { n: number } }) => void got.push(message.data.n);
      const old = await bus.subscribe({ service, retryDelaysMs, message: kind, handle });
      const sent = [thing(kind, 1, { schemaversion: 2 }), thing(kind, 2)];
      for (const message of sent) await bus.publish('orders', message);
      await eventually(() => got.length === 1);
      await bus.subscribe({ service, retryDelaysMs, message: { ...kind, version: 2 }, handle });
      await old.stop();
      await eventually(() => got.length === 2);
      assert.deepEqual(got, [2, 1]);
      assert.deepEqual(await bus.deadLetters({ queue: `${service}.${kind.type}`, limit: 10 }), []);
    }),
  );

  test(
    'a replayed dead letter has all its attempts again and is gone when it succeeds',
    withBus(async bus => {
      const [kind, service] = [newKind(), newService()];
      let [attempts, repaired] = [0, false];
      await bus.subscribe({
        service,
        message: kind,
        retryDelaysMs: [10],
        handle: async () => {
          attempts += 1;
          if (!repaired) throw new Error('not repaired yet');
        },
      });
      await publishThings(bus, kind, 1);
      const queue = `${service}.${kind.type}`;
      const letters = () => bus.deadLetters({ queue, limit: 10 });
      const theLetter = async () => {
        await eventually(async () => (await letters()).length === 1);
        return (await letters())[0]?.id ?? '';
      };
      const first = await theLetter();
      assert.equal(attempts, 2);
      assert.equal(await bus.replay(first), true);
      await eventually(
        () => attempts === 4,
        () => attempts,
      );
      const second = await theLetter();
      repaired = true;
      assert.equal(await bus.replay(second), true);
      await eventually(
        () => attempts === 5,
        () => attempts,
      );
      assert.deepEqual(await letters(), []);
      assert.equal(await bus.replay(second), false);
      assert.equal(await bus.replay('no-such-letter'), false);
    }),
  );

  test(
    'dead letters are listed newest first, page by page, of one queue or of all',
    withBus(async bus => {
      const [kind, services] = [newKind(), [newService(), newService()]];
      for (const service of services) {
        await bus.subscribe({
          service,
          message: kind,
          retryDelaysMs: [],
          handle: async () => {
            throw new Error('never');
          },
        });
      }
      const queue = `${services[0]}.${kind.type}`;
      for (const n of numbers(5)) {
        await bus.publish('orders', thing(kind, n));
        await eventually(async () => (await bus.deadLetters({ queue, limit: 100 })).length === n + 1);
      }
      const all = await bus.deadLetters({ queue, limit: 100 });
      const subject = (letter: { message: unknown }) => (letter.message as { subject: string }).subject;
      assert.deepEqual(all.map(subject), ['4', '3', '2', '1', '0']);
      const first = await bus.deadLetters({ queue, limit: 2 });
      const second = await bus.deadLetters({ queue, limit: 2, after: first[1]?.id ?? '' });
      assert.deepEqual([...first, ...second].map(subject), ['4', '3', '2', '1']);
      const everywhere = new Set((await bus.deadLetters({ limit: 1_000 })).map(letter => letter.queue));
      for (const service of services) assert.ok(everywhere.has(`${service}.${kind.type}`));
    }),
  );

  test(
    'a message published twice is handled, at most twice, and harms nothing',
    withBus(async bus => {
      const [kind, got] = [newKind(), [] as number[]];
      await bus.subscribe({ service: newService(), message: kind, handle: async m => void got.push(m.data.n) });
      const twice = thing(kind, 1);
      await Promise.all([bus.publish('orders', twice), bus.publish('orders', twice)]);
      await bus.publish('orders', thing(kind, 2));
      await eventually(
        () => got.includes(1) && got.includes(2),
        () => got,
      );
      assert.ok(got.length <= 3, `${got}`);
    }),
  );
}
