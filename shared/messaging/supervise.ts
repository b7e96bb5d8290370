import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../logger.ts';
import { BusUnavailableError } from './eventBus.ts';
import { QueueMismatchError } from './rabbitTopology.ts';

/** Something that can be lost and is opened again, as a connection or a channel. */
export interface Supervised<Resource> {
  /** The open one, if there is one. */
  current(): Resource | undefined;
  /** Waits for an open one. Rejects with BusUnavailableError when it is stopped first. */
  ready(): Promise<Resource>;
  /** Closes it for good. */
  stop(): Promise<void>;
}

export interface SuperviseOptions<Resource> {
  /** For the log. */
  name: string;
  /** Opens one; calls `lost` when that one is gone. Rejecting counts as a failed try. */
  open(lost: (reason?: unknown) => void): Promise<Resource>;
  /** Called once for every opened one, lost or not, before another is opened; must not reject. */
  close(resource: Resource, stopping: boolean): Promise<void>;
  logger: Logger;
  /** Uniform in [0, 1), for jitter. */
  random: () => number;
}

const [minDelayMs, maxDelayMs, steadyMs] = [100, 3_000, 5_000];

/**
 * Keeps one resource open: opens it, and again whenever it is lost, after pauses that double from 0.1 s to 3 s with up to
 * half of each taken off at random. A resource that lasted less than 5 s counts as a failed try.
 */
export function supervise<Resource>(options: SuperviseOptions<Resource>): Supervised<Resource> {
  const { name, logger } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const stopRequested = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
  let current: Resource | undefined;
  let waiting: { resolve: (resource: Resource) => void; reject: (error: Error) => void }[] = [];

  const refusal = () => new BusUnavailableError(`${name} is closed`);

  /** Opens one and returns when it is gone. @returns how long it was open, in milliseconds */
  async function openOnce(): Promise<number> {
    const gone = Promise.withResolvers<unknown>();
    const resource = await options.open(gone.resolve);
    const openedAt = performance.now();
    if (!signal.aborted) {
      current = resource;
      for (const one of waiting.splice(0)) one.resolve(resource);
      const reason = await Promise.race([gone.promise, stopRequested]);
      current = undefined;
      if (!signal.aborted) logger.warn({ err: reason }, `${name} is lost`);
    }
    await options.close(resource, signal.aborted);
    return performance.now() - openedAt;
  }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        if ((await openOnce()) > steadyMs) failures = 0;
      } catch (error) {
        const level = error instanceof QueueMismatchError ? 'error' : 'warn';
        if (!signal.aborted) logger[level]({ err: error, failures }, `${name} could not be opened`);
      }
      const delayMs = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(failures, 10)) * (1 - options.random() / 2);
      await sleep(delayMs, undefined, { signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    current: () => current,
    ready() {
      if (signal.aborted) return Promise.reject(refusal());
      if (current !== undefined) return Promise.resolve(current);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    async stop() {
      const open = current !== undefined;
      stopping.abort();
      for (const one of waiting) one.reject(refusal());
      waiting = [];
      // One that is just being opened is closed as soon as it is there; waiting for it could take as long as its timeouts.
      if (open) await running;
    },
  };
}
