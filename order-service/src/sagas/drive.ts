import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../domain/events.ts';
import type { EventStore } from '../events/eventStore.ts';
import type { SagaRunner } from './sagaRunner.ts';
import type { Lease, SagaKey, SagaStore } from './sagaStore.ts';

/** Works on an order on behalf of a request that waits for it. */
export interface Drive {
  /** The order's stream, durable. */
  look(orderId: string): Promise<RecordedEvent[]>;
  /**
   * Runs the saga inline until `settled` or until `waitMs` are over; what is not done then goes on without the request.
   * @param begun a lease that the caller holds already, with the stream as it wrote it
   * @returns the stream as it was last seen
   */
  until(
    saga: SagaKey,
    settled: (events: readonly RecordedEvent[]) => boolean,
    waitMs: number,
    begun?: { lease: Lease; known: readonly RecordedEvent[] },
  ): Promise<RecordedEvent[]>;
}

const pauseMs = 50;

export function createDrive(eventStore: EventStore, sagaStore: SagaStore, runner: SagaRunner): Drive {
  return {
    look: orderId => eventStore.loadDurable(orderId),
    async until({ _id: orderId, userId }, settled, waitMs, begun) {
      const end = Date.now() + waitMs;
      const over = new AbortController();
      const late = sleep(waitMs, undefined, { signal: over.signal }).catch(() => {});
      let events: RecordedEvent[] = [];
      const work = async (): Promise<void> => {
        if (begun) events = await runner.run(begun.lease, begun.known);
        while (!settled(events) && Date.now() < end) {
          const lease = await sagaStore.take({ _id: orderId, userId });
          if (lease) events = await runner.run(lease);
          else events = await eventStore.loadDurable(orderId);
          if (!settled(events)) await sleep(pauseMs);
        }
      };
      try {
        const finished = await Promise.race([work().then(() => true), late.then(() => false)]);
        return finished ? events : await eventStore.loadDurable(orderId);
      } finally {
        over.abort();
      }
    },
  };
}
