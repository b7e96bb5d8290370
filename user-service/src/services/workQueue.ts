import { AppError } from '@tradepost/shared/errors';

export interface QueueLimits {
  /** Tasks that run at once. */
  running: number;
  /** Tasks that may wait; the next one is refused. */
  waiting: number;
}

export interface Queue {
  /**
   * Runs the task when it is its turn.
   * @throws AppError `service_unavailable` with Retry-After when too many wait already
   */
  run<T>(task: () => Promise<T>): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

/** Bounds how much expensive work runs and waits, first come first served. */
export function createQueue(limits: QueueLimits): Queue {
  const waiters: (() => void)[] = [];
  let running = 0;
  return {
    get running() {
      return running;
    },
    get waiting() {
      return waiters.length;
    },
    async run(task) {
      if (running < limits.running) running += 1;
      else if (waiters.length >= limits.waiting) {
        throw new AppError('service_unavailable', {
          detail: 'Too many passwords are being checked at this moment',
          retryAfter: 1,
        });
      } else await new Promise<void>(resolve => waiters.push(resolve));
      try {
        return await task();
      } finally {
        // The place goes straight to the next in line, so that nobody can slip in between.
        const next = waiters.shift();
        if (next) next();
        else running -= 1;
      }
    },
  };
}
