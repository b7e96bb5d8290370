import { detached } from '@tradepost/shared/context';
import type { Logger } from '@tradepost/shared/logger';
import type { DurableQueue } from '@tradepost/shared/messaging/routing';
import type { Leases } from './leases.ts';
import type { LocalQueue } from './localQueue.ts';
import type { MessageStore } from './messageStore.ts';

export interface LookoutParts {
  store: MessageStore;
  leases: Leases;
  logger: Logger;
  pollMs: number;
  queues(): { name: string; queue: LocalQueue }[];
  /** Makes a queue known that another process declared. */
  learn(definition: DurableQueue): void;
}

/**
 * The bus's one timer: renews leases, looks for due messages that nobody here put there (retries, lapsed leases, other
 * processes) with a single query over all idle queues, and for queues that others declared.
 */
export function createLookout(parts: LookoutParts) {
  const { store, leases, logger, pollMs } = parts;
  let timer: NodeJS.Timeout | undefined;
  let nextAt = Number.POSITIVE_INFINITY;
  let looking: Promise<void> | undefined;
  let stopped = false;
  let up = true;

  function report(error?: unknown): void {
    if (error !== undefined && up) logger.warn({ err: error }, 'the store of the bus does not answer');
    up = error === undefined;
  }

  function lookIn(ms: number): void {
    const at = performance.now() + ms;
    if (at >= nextAt) return;
    nextAt = at;
    if (!looking) schedule();
  }

  function schedule(): void {
    clearTimeout(timer);
    if (stopped) return;
    const begin = () => {
      nextAt = performance.now() + pollMs;
      looking = look().finally(() => {
        looking = undefined;
        schedule();
      });
    };
    timer = detached(() => setTimeout(begin, Math.max(0, nextAt - performance.now())));
  }

  async function look(): Promise<void> {
    try {
      await leases.renew();
      for (const definition of await store.declared()) parts.learn(definition);
      const queues = parts.queues();
      const idle = queues.filter(({ queue }) => queue.isIdle());
      const due = idle.length > 0 ? await store.due(idle.map(({ name }) => name)) : [];
      for (const { name, queue } of queues) if (due.includes(name) || !queue.isIdle()) queue.wake();
      report();
    } catch (error) {
      report(error);
    }
  }

  return {
    /** Looks again in that many milliseconds, if not sooner anyway. */
    lookIn,
    start: () => lookIn(pollMs),
    /** Tells how the last operation on the store went. */
    report,
    status: (): 'up' | 'down' => (up ? 'up' : 'down'),
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}
