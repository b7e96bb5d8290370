import { withinMs } from '@tradepost/shared/lifecycle';
import type { Logger } from '@tradepost/shared/logger';
import { type Attempt, maxUnansweredDeliveries, type Outcome } from '@tradepost/shared/messaging/delivery';
import type { Consumer } from '@tradepost/shared/messaging/eventBus';
import { createPool, type Pool } from '@tradepost/shared/messaging/pool';
import type { Batcher } from './batcher.ts';
import type { Leases } from './leases.ts';
import type { ClaimedMessage, MessageStore } from './messageStore.ts';

/** One durable queue as this bus instance sees it: its consumers here, and whether the store may have more for them. */
export interface LocalQueue {
  /** A place at a consumer for a message that is about to be stored; undefined when it has to wait its turn in the store. */
  reserve(): Place | undefined;
  /** The store may have due messages: fetches them as consumers have room. */
  wake(): void;
  /** Whether only a look into the store can tell if there is work. */
  isIdle(): boolean;
  consume(attempt: Attempt, concurrency: number): Consumer;
  /** Stops all consumers. */
  stop(): Promise<void>;
}

export interface Place {
  deliver(message: ClaimedMessage): void;
  cancel(): void;
}

export interface LocalQueueParts {
  store: MessageStore;
  leases: Leases;
  removals: Batcher<string>;
  logger: Logger;
  /** Asks for a look into the store in that many milliseconds. */
  lookIn(ms: number): void;
  /** How long stopping waits for running handlers. */
  stopMs: number;
}

interface LocalConsumer {
  attempt: Attempt;
  pool: Pool;
  /** Messages promised, waiting, running or not yet settled. */
  held: number;
  capacity: number;
  settled?: () => void;
}

export function createLocalQueue(name: string, parts: LocalQueueParts): LocalQueue {
  const { store, leases, logger } = parts;
  const consumers = new Set<LocalConsumer>();
  let backlog = true;
  let fetching = false;

  const room = () => [...consumers].reduce((sum, one) => sum + Math.max(0, one.capacity - one.held), 0);

  function roomiest(): LocalConsumer | undefined {
    return [...consumers].sort((a, b) => b.capacity - b.held - (a.capacity - a.held))[0];
  }

  function released(consumer: LocalConsumer): void {
    consumer.held -= 1;
    if (consumer.held === 0) consumer.settled?.();
    fetch();
  }

  async function settle(message: ClaimedMessage, outcome: Outcome | undefined): Promise<void> {
    if (!outcome) return store.release([message.id]);
    if (outcome.kind === 'done') return parts.removals.add(message.id);
    if (outcome.kind === 'dead') return store.bury(name, message, outcome.attempts, outcome.error);
    await store.retry(message.id, outcome.delayMs);
    parts.lookIn(outcome.delayMs + 1);
  }

  /** The consumer has counted the message as held. */
  async function deliver(consumer: LocalConsumer, message: ClaimedMessage): Promise<void> {
    leases.take(message.id);
    try {
      const outcome =
        message.deliveries > maxUnansweredDeliveries
          ? unanswered(message)
          : await consumer.pool.run(() => consumer.attempt(message.body, message.failures));
      await settle(message, outcome);
    } catch (error) {
      logger.warn({ err: error, queue: name }, 'the outcome of a message was not stored; it is delivered again');
    } finally {
      leases.drop(message.id);
      released(consumer);
    }
  }

  /** Claims what is due while consumers have room for a good batch. */
  function fetch(): void {
    const limit = room();
    const capacity = [...consumers].reduce((sum, one) => sum + one.capacity, 0);
    if (fetching || !backlog || capacity === 0 || limit < capacity / 2) return;
    fetching = true;
    backlog = false;
    store
      .claim(name, limit, leases.isHeld)
      .then(claimed => {
        fetching = false;
        backlog ||= claimed.length === limit;
        const unwanted = claimed.filter(message => {
          const consumer = roomiest();
          if (!consumer) return true;
          consumer.held += 1;
          void deliver(consumer, message);
          return false;
        });
        if (unwanted.length > 0) return store.release(unwanted.map(message => message.id));
        return fetch();
      })
      .catch(error => {
        fetching = false;
        backlog = true;
        logger.warn({ err: error, queue: name }, 'messages could not be fetched; trying again with the next look');
      });
  }

  async function stopConsumer(consumer: LocalConsumer): Promise<void> {
    if (!consumers.delete(consumer)) return;
    const settled = new Promise<void>(resolve => {
      consumer.settled = resolve;
      if (consumer.held === 0) resolve();
    });
    await consumer.pool.stop(parts.stopMs);
    await withinMs(parts.stopMs, settled);
    backlog = true;
    fetch();
  }

  return {
    reserve() {
      if (backlog || fetching) return undefined;
      const consumer = roomiest();
      if (!consumer || consumer.held >= consumer.capacity) return undefined;
      consumer.held += 1;
      return {
        deliver: message => void deliver(consumer, message),
        cancel: () => released(consumer),
      };
    },
    wake() {
      backlog = true;
      fetch();
    },
    isIdle: () => consumers.size > 0 && !backlog && !fetching,
    consume(attempt, concurrency) {
      const consumer = { attempt, pool: createPool(concurrency), held: 0, capacity: 10 * concurrency };
      consumers.add(consumer);
      backlog = true;
      fetch();
      return { stop: () => stopConsumer(consumer) };
    },
    async stop() {
      await Promise.all([...consumers].map(stopConsumer));
    },
  };
}

function unanswered(message: ClaimedMessage): Outcome {
  const error = `no answer in ${maxUnansweredDeliveries} deliveries: the process ended each time`;
  return { kind: 'dead', attempts: message.failures, error };
}
