import type { Clock } from '@tradepost/shared/clock';
import type { NewId } from '@tradepost/shared/ids';
import type { Logger } from '@tradepost/shared/logger';
import { createBusMetrics } from '@tradepost/shared/messaging/busMetrics';
import { createAttempt } from '@tradepost/shared/messaging/delivery';
import { BusUnavailableError, type EventBus } from '@tradepost/shared/messaging/eventBus';
import { encodeMessage } from '@tradepost/shared/messaging/message';
import {
  type DurableQueue,
  durableQueue,
  matchesKey,
  queueName,
  requireDeclared,
} from '@tradepost/shared/messaging/routing';
import type { Registry } from '@tradepost/shared/observability/metrics';
import type { Connection } from 'mongoose';
import { createBatcher } from './batcher.ts';
import { createLeases } from './leases.ts';
import { createListeners } from './listeners.ts';
import { createLocalQueue, type LocalQueue, type Place } from './localQueue.ts';
import { createLookout } from './lookout.ts';
import { openMessageStore, rowId } from './messageStore.ts';

export interface LocalBusOptions {
  /** Database of the bus alone; opened and closed by the caller, who closes it after the bus. */
  connection: Connection;
  clock: Clock;
  newId: NewId;
  logger: Logger;
  registry?: Registry;
  /** Queues that take messages from the start, before their consumers have run for the first time; then others are refused. */
  queues?: readonly DurableQueue[];
  /** No other process uses the database: what a killed one had claimed is delivered again at once. Default false. */
  exclusive?: boolean;
  /** How long a message is reserved for the instance that handles it, in milliseconds; renewed meanwhile. Default 10,000. */
  leaseMs?: number;
  /** Milliseconds between looks for lapsed leases and for messages of other processes. Default 1,000. */
  pollMs?: number;
  /** Uniform in [0, 1), for jitter. */
  random?: () => number;
}

const stopMs = 10_000;
/** Handled messages are removed together after that many milliseconds; a process killed meanwhile gets them again. */
const removalLingerMs = 20;
/** Dead letters that are counted for the metrics; of more it only matters that they are many. */
const mostLetters = 1_000;

/**
 * The event bus inside one process, durable in a MongoDB database. One bus serves all services of the process: their
 * messages pass from publisher to consumer in memory once they are stored, and several instances (other processes too)
 * may share the database. Listeners hear only what is published through their own instance.
 *
 * Publishing inserts one row per queue, in batches that form while the previous one is being written; a row is born
 * claimed when a consumer here has room for it. Handling ends with a batched delete. Everything else (backlog, retries,
 * lapsed leases, dead letters) is claimed by a conditional update on the row.
 */
export async function createLocalBus(options: LocalBusOptions): Promise<EventBus> {
  const { connection, clock, logger } = options;
  const leaseMs = options.leaseMs ?? 10_000;
  const store = await openMessageStore(connection, clock, options.newId(), leaseMs);
  const parts = { metrics: createBusMetrics(options.registry), clock, logger, random: options.random ?? Math.random };
  const leases = createLeases(clock, leaseMs, store.renew);
  const removals = createBatcher<string>(500, removalLingerMs, async ids => {
    await store.remove(ids);
    return [];
  });
  const bound = new Map<string, { queue: LocalQueue; definition: DurableQueue }>();
  const listeners = createListeners(parts);
  const lookout = createLookout({
    store,
    leases,
    logger,
    pollMs: options.pollMs ?? 1_000,
    queues: () => known(),
    learn,
  });
  let closed = false;

  const status = () => (closed ? 'down' : lookout.status());
  const known = () => [...bound].map(([name, { queue }]) => ({ name, queue }));

  function learn(definition: DurableQueue): LocalQueue {
    const name = queueName(definition);
    let entry = bound.get(name);
    if (!entry) {
      const queue = createLocalQueue(name, { store, leases, removals, logger, lookIn: lookout.lookIn, stopMs });
      entry = { queue, definition };
      bound.set(name, entry);
    }
    return entry.queue;
  }

  async function declare(definition: DurableQueue): Promise<LocalQueue> {
    if (!bound.has(queueName(definition))) await store.declare(definition);
    return learn(definition);
  }

  const inserts = createBatcher<{ name: string; queue: LocalQueue; messageId: string; body: string }>(
    200,
    0,
    async batch => {
      const places: (Place | undefined)[] = batch.map(({ queue }) => queue.reserve());
      try {
        const results = await store.insert(
          batch.map(({ name, messageId, body }, index) => ({
            queue: name,
            messageId,
            body,
            claimed: places[index] !== undefined,
          })),
        );
        lookout.report();
        return results.map((result, index) => {
          const { name, queue, messageId, body } = batch[index]!;
          const place = places[index];
          if (result === 'added' && place) {
            place.deliver({ id: rowId(name, messageId), body, failures: 0, deliveries: 1 });
          } else if (result === 'added') queue.wake();
          else place?.cancel();
          return result instanceof Error ? result : undefined;
        });
      } catch (error) {
        lookout.report(error);
        for (const place of places) place?.cancel();
        throw new BusUnavailableError('the messages could not be stored', { cause: error });
      }
    },
  );

  parts.metrics.watch({
    isUp: () => status() === 'up',
    async countDeadLetters() {
      const counts = new Map([...bound.values()].map(({ definition }) => [definition.service, 0]));
      for (const { queue } of await store.deadLetters({ limit: mostLetters })) {
        const service = bound.get(queue)?.definition.service;
        if (service !== undefined) counts.set(service, (counts.get(service) ?? 0) + 1);
      }
      return counts;
    },
  });

  for (const definition of await store.declared()) learn(definition);
  for (const definition of options.queues ?? []) await declare(definition);
  if (options.exclusive) await store.takeOver();
  lookout.start();

  const refuseWhenClosed = () => {
    if (closed) throw new BusUnavailableError('the bus is closed');
  };

  return {
    async publish(exchange, message) {
      refuseWhenClosed();
      const body = encodeMessage(message);
      const targets = [...bound].filter(
        ([, { definition }]) => definition.exchange === exchange && matchesKey(definition.key, message.type),
      );
      await Promise.all(targets.map(([name, { queue }]) => inserts.add({ name, queue, messageId: message.id, body })));
      listeners.tell(exchange, message.type, body);
    },
    async subscribe(subscription) {
      refuseWhenClosed();
      const definition = durableQueue(subscription.service, subscription);
      requireDeclared(options.queues, definition);
      const queue = await declare(definition);
      return queue.consume(createAttempt(queueName(definition), subscription, parts), subscription.concurrency ?? 10);
    },
    async listen(listener) {
      refuseWhenClosed();
      return listeners.add(listener);
    },
    deadLetters: query => store.deadLetters(query),
    async replay(deadLetterId) {
      const name = await store.replay(deadLetterId);
      if (name !== undefined) bound.get(name)?.queue.wake();
      return name !== undefined;
    },
    status,
    async close() {
      closed = true;
      await Promise.all([listeners.stop(stopMs), ...known().map(({ queue }) => queue.stop())]);
      await Promise.all([inserts.idle(), removals.idle(), lookout.stop()]);
    },
  };
}
