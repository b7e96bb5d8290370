import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Schedule } from './explore.ts';

/**
 * Runs `count` schedules from `seed` on in threads and gives them in the order of their seeds, however many threads there
 * are. Leaving the loop early ends the threads.
 * @throws when a thread fails outside of its schedule
 */
export async function* exploreSchedules(
  seed: number,
  count: number,
  threads = availableParallelism(),
): AsyncGenerator<Schedule> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./worker.ts', import.meta.url)));
  const results = new Map<number, PromiseWithResolvers<Schedule>>();
  const resultOf = (n: number): PromiseWithResolvers<Schedule> => {
    const result = results.get(n) ?? Promise.withResolvers();
    // It may fail before anybody waits for it.
    result.promise.catch(() => {});
    results.set(n, result);
    return result;
  };
  let next = 0;
  const work = async (worker: Worker): Promise<void> => {
    while (next < count) {
      const n = next++;
      worker.postMessage(seed + n);
      try {
        const [schedule] = await once(worker, 'message');
        resultOf(n).resolve(schedule);
      } catch (error) {
        resultOf(n).reject(error);
        return;
      }
    }
  };
  try {
    for (const worker of workers) void work(worker);
    for (let n = 0; n < count; n += 1) {
      yield await resultOf(n).promise;
      results.delete(n);
    }
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()));
  }
}
