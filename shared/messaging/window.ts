import { BusUnavailableError } from './eventBus.ts';

/** Bounds how many messages are on their way at once; whoever comes later waits in turn. */
export interface Window {
  /** Undefined when there was room at once; else resolves when it is the caller's turn. Rejects after `limitMs`. */
  enter(limitMs: number): Promise<void> | undefined;
  leave(): void;
  /** Lets nobody in until `resume`. */
  pause(): void;
  resume(): void;
}

/** @param size how many may be inside; ten times as many may wait, more are refused with BusUnavailableError */
export function createWindow(size: number): Window {
  const waiting = new Set<() => void>();
  let inside = 0;
  let paused = false;

  function admit(): void {
    for (const turn of waiting) {
      if (paused || inside >= size) return;
      waiting.delete(turn);
      inside += 1;
      turn();
    }
  }

  return {
    enter(limitMs) {
      if (!paused && inside < size && waiting.size === 0) {
        inside += 1;
        return undefined;
      }
      if (waiting.size >= size * 10) return Promise.reject(new BusUnavailableError('too many messages are waiting'));
      return new Promise((resolve, reject) => {
        const turn = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.delete(turn);
          reject(new BusUnavailableError(`the broker took no further message within ${limitMs} ms`));
        }, limitMs);
        waiting.add(turn);
      });
    },
    leave() {
      inside -= 1;
      admit();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      admit();
    },
  };
}
