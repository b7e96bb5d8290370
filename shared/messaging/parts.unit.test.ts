import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Registry } from 'prom-client';
import { silentLogger } from '../logger.ts';
import { eventually, gate, newKind, numbers, thing } from '../testing/busSuiteTools.ts';
import { createBusMetrics } from './busMetrics.ts';
import { deadLetterId } from './deadLetterId.ts';
import { createAttempt } from './delivery.ts';
import { BusUnavailableError } from './eventBus.ts';
import { encodeMessage } from './message.ts';
import { createPool } from './pool.ts';
import { supervise } from './supervise.ts';
import { createWindow } from './window.ts';

test('ids of dead letters sort by time and depend on queue and message', () => {
  const at = (ms: number) => deadLetterId(new Date(ms), 'q', 'body');
  assert.ok(at(0) < at(1) && at(999) < at(1_000) && at(1_000) < at(Date.now()));
  assert.equal(at(5), at(5));
  assert.equal(
    new Set([at(5), deadLetterId(new Date(5), 'r', 'body'), deadLetterId(new Date(5), 'q', 'other')]).size,
    3,
  );
});

test('a pool keeps to its size and order, hands on errors, and drops what it had not begun when stopped', async () => {
  const pool = createPool(2);
  const [hold, begun] = [gate(), [] as number[]];
  const results = numbers(5).map(n =>
    pool.run(async () => {
      begun.push(n);
      await hold.opened;
      return n;
    }),
  );
  const failing = pool.run(() => Promise.reject(new Error('task failed')));
  assert.deepEqual(begun, [0, 1]);
  const stopped = pool.stop(10_000);
  hold.open();
  assert.equal(await stopped, true);
  assert.deepEqual(await Promise.all(results), [0, 1, undefined, undefined, undefined]);
  assert.equal(await failing, undefined);
  await assert.rejects(
    createPool(1).run(() => Promise.reject(new Error('task failed'))),
    /task failed/,
  );
});

test('a pool that does not come to rest says so', async () => {
  const pool = createPool(1);
  const hold = gate();
  const running = pool.run(() => hold.opened);
  assert.equal(await pool.stop(5), false);
  hold.open();
  await running;
});

test('a window lets in its size, the next in turn, and refuses what waits too long or is too much', async () => {
  const window = createWindow(2);
  assert.deepEqual([window.enter(1_000), window.enter(1_000)], [undefined, undefined]);
  const entered: number[] = [];
  const waiting = numbers(20).map(n => window.enter(10_000)?.then(() => void entered.push(n)));
  await assert.rejects(async () => window.enter(1_000), /too many/);
  for (const _ of numbers(3)) window.leave();
  await Promise.all(waiting.slice(0, 3));
  assert.deepEqual(entered, [0, 1, 2]);
  window.pause();
  window.leave();
  window.leave();
  await Promise.resolve();
  assert.equal(entered.length, 3);
  window.resume();
  await Promise.all(waiting.slice(3, 5));
  for (const _ of numbers(20)) window.leave();
  await Promise.all(waiting);
  assert.deepEqual(entered, numbers(20));
  const full = createWindow(1);
  assert.equal(full.enter(1), undefined);
  await assert.rejects(async () => full.enter(1), BusUnavailableError);
});

test('what is supervised is opened again until it is stopped, and closed as often as it was opened', async () => {
  const log = { opened: 0, closed: 0, tries: 0 };
  let lose: () => void = () => {};
  const kept = supervise<number>({
    name: 'thing',
    logger: silentLogger(),
    random: () => 0.5,
    async open(lost) {
      log.tries += 1;
      if (log.tries === 2) throw new Error('not now');
      lose = lost;
      return ++log.opened;
    },
    async close() {
      log.closed += 1;
    },
  });
  assert.equal(await kept.ready(), 1);
  lose();
  await eventually(() => kept.current() === undefined);
  assert.equal(await kept.ready(), 2);
  assert.deepEqual(log, { opened: 2, closed: 1, tries: 3 });
  await kept.stop();
  assert.deepEqual(log, { opened: 2, closed: 2, tries: 3 });
  assert.equal(kept.current(), undefined);
  await assert.rejects(kept.ready(), BusUnavailableError);
});

test('what comes up only after the stop is closed, and who waited for it is told', async () => {
  const hold = gate();
  let closed = 0;
  const kept = supervise<string>({
    name: 'slow thing',
    logger: silentLogger(),
    random: () => 0,
    open: () => hold.opened.then(() => 'open'),
    async close() {
      closed += 1;
    },
  });
  const waiting = assert.rejects(kept.ready(), BusUnavailableError);
  await kept.stop();
  await waiting;
  hold.open();
  await eventually(() => closed === 1);
});

test('deliveries are counted by queue and outcome', async () => {
  const registry = new Registry();
  const parts = { metrics: createBusMetrics(registry), clock: () => new Date(), logger: silentLogger() };
  const kind = newKind();
  const handle = async ({ data }: { data: { n: number } }) => {
    if (data.n === 1) throw new Error('fails');
  };
  const attempt = createAttempt('q', { service: 's', message: kind, retryDelaysMs: [7], handle }, parts);
  const body = (n: number) => encodeMessage(thing(kind, n));
  assert.deepEqual(await attempt(body(0), 0), { kind: 'done' });
  assert.deepEqual(await attempt(body(1), 0), { kind: 'retry', delayMs: 7, error: 'Error: fails' });
  assert.deepEqual(await attempt(body(1), 1), { kind: 'dead', attempts: 2, error: 'Error: fails' });
  assert.equal((await attempt('no message', 0)).kind, 'dead');
  const metrics = await registry.metrics();
  for (const line of ['handled"} 1', 'retried"} 1', 'dead_lettered"} 2']) assert.ok(metrics.includes(line), metrics);
  assert.match(metrics, /bus_lag_seconds_count{queue="q"} 3/);
});

describe('what the metrics of a bus show', () => {
  const shown = async (work: (metrics: ReturnType<typeof createBusMetrics>) => void) => {
    const registry = new Registry();
    work(createBusMetrics(registry));
    return registry.metrics();
  };

  test('a queue from the beginning', async () => {
    const text = await shown(metrics => metrics.open('q', ['handled', 'retried']));
    for (const line of ['outcome="handled"} 0', 'outcome="retried"} 0', 'bus_lag_seconds_count{queue="q"} 0']) {
      assert.ok(text.includes(line), text);
    }
  });

  test('whether it is there, and the dead letters', async () => {
    const look = { isUp: () => true, countDeadLetters: async () => new Map([['order-service', 2]]) };
    const text = await shown(metrics => metrics.watch(look));
    for (const line of ['bus_up 1', 'bus_dead_letters{consumer="order-service"} 2'])
      assert.ok(text.includes(line), text);
  });

  for (const [what, countDeadLetters] of [
    ['is not there', () => Promise.reject(new Error('away'))],
    ['does not answer', () => new Promise<never>(() => {})],
  ] as const) {
    test(`a broker that ${what} hides nothing else`, async () => {
      const text = await shown(metrics => metrics.watch({ isUp: () => false, countDeadLetters }));
      assert.match(text, /bus_up 0/);
      assert.doesNotMatch(text, /bus_dead_letters\{/);
    });
  }
});
