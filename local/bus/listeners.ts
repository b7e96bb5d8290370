import { createListenerAttempt, type DeliveryParts, type ListenerAttempt } from '@tradepost/shared/messaging/delivery';
import type { Consumer, Listener } from '@tradepost/shared/messaging/eventBus';
import { createPool, type Pool } from '@tradepost/shared/messaging/pool';
import { type MessagePattern, matchesKey, patternOf } from '@tradepost/shared/messaging/routing';

interface Entry {
  pattern: MessagePattern;
  attempt: ListenerAttempt;
  pool: Pool;
  stopping: AbortController;
}

/** The listeners of this bus instance; they get messages in memory. */
export function createListeners(parts: DeliveryParts & { random: () => number }) {
  const all = new Set<Entry>();

  return {
    add<Data>(listener: Listener<Data>): Consumer {
      const stopping = new AbortController();
      const attempt = createListenerAttempt(listener, { ...parts, signal: stopping.signal });
      const entry: Entry = { pattern: patternOf(listener), attempt, pool: createPool(10), stopping };
      all.add(entry);
      return { stop: () => stopOne(entry, 10_000) };
    },
    tell(exchange: string, key: string, body: string): void {
      for (const { pattern, attempt, pool } of all) {
        if (pattern.exchange === exchange && matchesKey(pattern.key, key)) void pool.run(() => attempt.hear(body));
      }
    },
    async stop(limitMs: number): Promise<void> {
      await Promise.all([...all].map(entry => stopOne(entry, limitMs)));
    },
  };

  async function stopOne(entry: Entry, limitMs: number): Promise<void> {
    all.delete(entry);
    entry.stopping.abort();
    await entry.pool.stop(limitMs);
  }
}
