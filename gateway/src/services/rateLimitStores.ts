import type { Logger } from '@tradepost/shared/logger';
import type { Store } from 'express-rate-limit';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import { createClient } from 'redis';
import type { GatewayMetrics } from './metrics.ts';

/** Counters of the rate limits that several gateways share. */
export interface RateLimitStores {
  make(bucket: string): Store;
  /** Begins to connect; does not wait for it. */
  start(): void;
  stop(): void;
}

const commandLimitMs = 250;
const restMs = 1_000;
const reconnectCapMs = 2_000;

/**
 * Counters in Redis. While it is away or slow, every request fails the store within 250 ms, is counted as such, and
 * passes: a shop without limits is better than none.
 */
export function createRedisStores(
  options: { url: string; prefix: string; random: () => number },
  metrics: GatewayMetrics,
  logger: Logger,
): RateLimitStores {
  const loads: (() => void)[] = [];
  let state: 'up' | 'down' = 'down';
  const turn = (next: typeof state, error?: unknown) => {
    if (next !== state) logger.warn({ ...(error ? { err: error } : {}) }, `rate limit store is ${next}`);
    state = next;
  };
  const client = createClient({
    url: options.url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    socket: {
      connectTimeout: 2_000,
      reconnectStrategy: tries => options.random() * Math.min(reconnectCapMs, 50 * 2 ** Math.min(tries, 6)) + 50,
    },
  });
  client.on('error', error => turn('down', error));
  client.on('ready', () => {
    turn('up');
    for (const load of loads) load();
  });
  const sendCommand = (...args: string[]) => client.sendCommand<RedisReply>(args);
  return {
    make(bucket) {
      const store = new RedisStore({ sendCommand, prefix: `${options.prefix}${bucket}:` });
      return bounded(store, load => loads.push(load), metrics);
    },
    start: () => {
      client.connect().catch(() => {});
    },
    stop: () => client.destroy(),
  };
}

/**
 * The store, each count within its limit, failures counted, and its scripts loaded again on every connection. After a
 * failure it is left alone for a second, so that a store that hangs does not slow every request.
 */
function bounded(store: RedisStore, onReady: (load: () => void) => void, metrics: GatewayMetrics): Store {
  let restUntil = 0;
  return {
    prefix: store.prefix,
    init: options => {
      // rate-limit-redis keeps the failed promise of a load that came before the connection, and fails for ever.
      const load = () => void store.init(options).catch(() => {});
      onReady(load);
      load();
    },
    increment: async key => {
      try {
        if (performance.now() < restUntil) throw new Error('The rate limit store failed a moment ago');
        return await within(commandLimitMs, store.increment(key));
      } catch (error) {
        if (performance.now() >= restUntil) restUntil = performance.now() + restMs;
        metrics.rateLimitStoreErrors.inc();
        throw error;
      }
    },
    decrement: key => store.decrement(key),
    resetKey: key => store.resetKey(key),
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The rate limit store did not answer in time')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
