import { detached } from '@tradepost/shared/context';
import type { Logger } from '@tradepost/shared/logger';

/** Work that is repeated in the background, one run at a time. */
export interface Worker {
  start(): void;
  /** Asks for a run soon instead of at the next interval. */
  wake(): void;
  /** Begins no further run and waits for the running one. */
  stop(): Promise<void>;
}

/**
 * Runs `work` every `intervalMs` and, when it is woken, `wakeDelayMs` after that, so that several wake-ups make one run.
 * A failed run is logged and tried again at the next interval.
 */
export function createWorker(options: {
  name: string;
  intervalMs: number;
  wakeDelayMs: number;
  work: () => Promise<void>;
  logger: Logger;
}): Worker {
  const { name, intervalMs, wakeDelayMs, work, logger } = options;
  let state: 'idle' | 'waiting' | 'running' | 'stopped' = 'idle';
  let timer: NodeJS.Timeout | undefined;
  let woken = false;
  let running = Promise.resolve();

  function schedule(ms: number): void {
    clearTimeout(timer);
    const begin = () => {
      running = run();
    };
    timer = detached(() => setTimeout(begin, ms));
  }

  async function run(): Promise<void> {
    state = 'running';
    woken = false;
    try {
      await work();
    } catch (error) {
      logger.error({ err: error }, `${name} failed; it is tried again`);
      woken = false;
    }
    if (isStopped()) return;
    state = 'waiting';
    schedule(woken ? wakeDelayMs : intervalMs);
  }

  const isStopped = () => state === 'stopped';

  return {
    start() {
      if (state === 'running' || state === 'waiting') return;
      state = 'waiting';
      schedule(0);
    },
    wake() {
      if (state === 'waiting' && !woken) schedule(wakeDelayMs);
      woken = true;
    },
    async stop() {
      state = 'stopped';
      clearTimeout(timer);
      await running;
    },
  };
}
