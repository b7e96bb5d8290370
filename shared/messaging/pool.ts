import { withinMs } from '../lifecycle.ts';

/** Runs tasks, at most `concurrency` at once, in the order in which they came. */
export interface Pool {
  /** Resolves to what the task resolves to, or to undefined when the pool was stopped before the task began. */
  run<Result>(task: () => Promise<Result>): Promise<Result | undefined>;
  /** Begins no further task and waits for the running ones, at most `limitMs`. False when some still run. */
  stop(limitMs: number): Promise<boolean>;
}

export function createPool(concurrency: number): Pool {
  const waiting: (() => void)[] = [];
  let running = 0;
  let stopped = false;
  const idle: (() => void)[] = [];

  function next(): void {
    while (running < concurrency) {
      const begin = waiting.shift();
      if (!begin) break;
      begin();
    }
    if (running === 0) for (const resolve of idle.splice(0)) resolve();
  }

  return {
    run: task =>
      new Promise((resolve, reject) => {
        waiting.push(() => {
          if (stopped) return resolve(undefined);
          running += 1;
          task()
            .then(resolve, reject)
            .finally(() => {
              running -= 1;
              next();
            });
        });
        next();
      }),
    async stop(limitMs) {
      stopped = true;
      for (const begin of waiting.splice(0)) begin();
      if (running === 0) return true;
      return withinMs(limitMs, new Promise<void>(resolve => idle.push(resolve)));
    },
  };
}
