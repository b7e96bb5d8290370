import { as, currentOwner, isLeftOver, type Scheduler } from './scheduler.ts';

interface Timer {
  at: number;
  owner: string;
  fire(): void;
  /** Set for intervals. */
  everyMs?: number;
}

export interface SimulatedTime {
  now(): number;
  /** When the next timer fires; undefined without one. */
  next(): number | undefined;
  /** Moves the clock to the next timer, or a little further as a busy process would, and lets that timer fire. */
  advance(lateMs?: number): Promise<void>;
  /** Forgets the timers of an instance. */
  drop(owner: string): void;
  /** Nothing fires any more. */
  end(): void;
}

const real = { setTimeout, clearTimeout, setInterval, clearInterval, now: Date.now };
/** Where `node:timers/promises` of the explored code waits; set while a world exists. */
let sleeping: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;

/** `setTimeout` of `node:timers/promises`, on the simulated clock. */
export async function simulatedSleep<T>(ms = 0, value?: T, options?: { signal?: AbortSignal }): Promise<T | undefined> {
  if (!sleeping) throw new Error('no simulated time');
  await sleeping(ms, options?.signal);
  return value;
}

/**
 * Puts the timers of this process on a clock that moves only when nobody tells it otherwise: `Date.now`, `setTimeout`,
 * `setInterval` and, through the loader, `node:timers/promises`. What Node and the driver imported for themselves keeps
 * the real clock.
 */
export function simulateTime(scheduler: Scheduler, startMs: number): SimulatedTime {
  let now = startMs;
  let over = false;
  const timers = new Map<object, Timer>();
  const add = (fire: () => void, ms: number, everyMs?: number): object => {
    const owner = currentOwner();
    const handle = { unref: () => handle, ref: () => handle, hasRef: () => true, refresh: () => handle };
    const timer: Timer = { at: now + Math.max(0, ms), owner, fire: () => as(scheduler, owner, fire) };
    if (over || isLeftOver(scheduler)) return handle;
    if (everyMs !== undefined) timer.everyMs = Math.max(1, everyMs);
    timers.set(handle, timer);
    scheduler.touch();
    return handle;
  };
  const remove = (handle?: unknown): void => {
    timers.delete(handle as object);
  };
  Object.assign(globalThis, {
    setTimeout: (fire: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => add(() => fire(...args), ms),
    clearTimeout: remove,
    setInterval: (fire: () => void, ms = 0) => add(fire, ms, ms),
    clearInterval: remove,
  });
  Date.now = () => now;
  sleeping = (ms, signal) =>
    new Promise((resolve, reject) => {
      const handle = add(resolve, ms);
      signal?.addEventListener('abort', () => {
        remove(handle);
        reject(signal.reason);
      });
    });
  const earliest = (): [object, Timer] | undefined => {
    let found: [object, Timer] | undefined;
    for (const entry of timers) {
      if (!scheduler.isFrozen(entry[1].owner) && (!found || entry[1].at < found[1].at)) found = entry;
    }
    return found;
  };
  return {
    now: () => now,
    next: () => earliest()?.[1].at,
    async advance(lateMs = 0) {
      const entry = earliest();
      if (!entry) return;
      const [handle, timer] = entry;
      if (timer.at > now) now = timer.at + lateMs;
      if (timer.everyMs === undefined) timers.delete(handle);
      else timer.at = now + timer.everyMs;
      scheduler.touch();
      timer.fire();
      await scheduler.quiet();
    },
    drop(owner) {
      for (const [handle, timer] of timers) if (timer.owner === owner) timers.delete(handle);
    },
    end() {
      over = true;
      timers.clear();
    },
  };
}

/** Gives the real clock back to the process. */
export function restoreTime(): void {
  const { now, ...functions } = real;
  Object.assign(globalThis, functions);
  Date.now = now;
  sleeping = undefined;
}
