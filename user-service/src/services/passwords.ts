import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import type { Registry } from '@tradepost/shared/observability/metrics';
import { Gauge, Histogram } from 'prom-client';
import { normalisePassword } from '../domain/password.ts';
import { createQueue } from './workQueue.ts';

export interface HashCost {
  memoryKib: number;
  passes: number;
}

/** argon2id (the library's default kind) with one lane, at most two hashes at once and twenty requests waiting. */
export interface Passwords {
  /**
   * Runs a request that hashes, from its first step on, so that one too many costs neither the database nor anybody else
   * anything.
   * @throws AppError `service_unavailable` with Retry-After when as many are underway as may run and wait
   */
  admit<T>(request: () => Promise<T>): Promise<T>;
  hash(password: string): Promise<string>;
  /** Whether the password fits the hash. Without a hash (no such account) it does the same work and says no. */
  verify(password: string, stored: string | undefined): Promise<boolean>;
  /** Whether a hash was made with another cost than new ones are. */
  isOutdated(stored: string): boolean;
}

// libuv has four threads: two stay free for files and name look-ups, so that a flood of logins slows nothing else.
const maxRunning = 2;
const maxWaiting = 20;

export function createPasswords(cost: HashCost, registry: Registry): Passwords {
  const requests = createQueue({ running: maxRunning + maxWaiting, waiting: 0 });
  const hashes = createQueue({ running: maxRunning, waiting: Number.POSITIVE_INFINITY });
  const options = { memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: 1 };
  const seconds = new Histogram({
    name: 'password_hash_duration_seconds',
    help: 'Time of one password hash without its wait, in seconds',
    buckets: [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1],
    registers: [registry],
  });
  new Gauge({
    name: 'password_hashes_waiting',
    help: 'Requests that wait for their password hash',
    registers: [registry],
    collect() {
      this.set(hashes.waiting);
    },
  });
  const timed = <T>(task: () => Promise<T>): Promise<T> =>
    hashes.run(async () => {
      const end = seconds.startTimer();
      try {
        return await task();
      } finally {
        end();
      }
    });
  // What is compared with where there is no account; nothing has this random password.
  const decoy = hash(randomBytes(32), options);
  return {
    admit: request => requests.run(request),
    hash: password => timed(() => hash(normalisePassword(password), options)),
    async verify(password, stored) {
      const against = stored ?? (await decoy);
      const fits = await timed(() => verify(against, normalisePassword(password)));
      return fits && stored !== undefined;
    },
    isOutdated(stored) {
      const used = parseOptions(stored);
      return used.memoryCost !== cost.memoryKib || used.timeCost !== cost.passes || used.parallelism !== 1;
    },
  };
}
