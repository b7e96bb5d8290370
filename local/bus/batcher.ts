import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Gathers items that come while a flush is under way into the next one, so that a burst costs few round trips and a
 * single item waits for nobody (group commit).
 */
export interface Batcher<Item> {
  /** Resolves when the item's flush succeeded for it; rejects with what `flush` says about it. */
  add(item: Item): Promise<void>;
  /** Resolves when nothing is waiting or being flushed. */
  idle(): Promise<void>;
}

/**
 * @param lingerMs how long a flush waits for more items, when nobody is in a hurry; 0 for not at all
 * @param flush takes items and answers per item: undefined, or the error for that item. What it throws is every item's error.
 */
export function createBatcher<Item>(
  maxItems: number,
  lingerMs: number,
  flush: (items: Item[]) => Promise<(Error | undefined)[]>,
): Batcher<Item> {
  let waiting: { item: Item; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    // One turn of the microtask queue later, so that all that one caller adds at once goes together.
    await undefined;
    while (waiting.length > 0) {
      if (lingerMs > 0 && waiting.length < maxItems) await sleep(lingerMs);
      const batch = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      try {
        const errors = await flush(batch.map(one => one.item));
        batch.forEach((one, index) => {
          const error = errors[index];
          if (error) one.reject(error);
          else one.resolve();
        });
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
    }
    running = undefined;
  }

  return {
    add: item =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        running ??= run();
      }),
    idle: async () => {
      while (running !== undefined) await running;
    },
  };
}
