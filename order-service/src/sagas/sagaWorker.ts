import { detached } from '@tradepost/shared/context';
import type { Logger } from '@tradepost/shared/logger';
import type { SagaRunner } from './sagaRunner.ts';
import type { SagaKey, SagaStore } from './sagaStore.ts';

export interface SagaWorker {
  /** Looks for due orders now instead of at the next poll. */
  wake(): void;
  start(): void;
  /** Takes nothing new and waits for what is running. */
  stop(): Promise<void>;
}

const concurrency = 16;
const keySweepMs = 60_000;

/** Finishes the orders that nobody works on: their process was killed, or a step has to be tried again. */
export function createSagaWorker(options: {
  sagaStore: SagaStore;
  runner: SagaRunner;
  pollMs: number;
  logger: Logger;
}): SagaWorker {
  const { sagaStore, runner, pollMs, logger } = options;
  let running = false;
  let timer: NodeJS.Timeout | undefined;
  let sweep: Promise<void> = Promise.resolve();
  let active = 0;
  let sweptAt = 0;

  const resume = async (saga: SagaKey): Promise<void> => {
    active += 1;
    try {
      const lease = running ? await sagaStore.take(saga) : null;
      if (lease) await runner.run(lease);
    } catch (error) {
      logger.warn({ err: error, orderId: saga._id }, 'saga worker: order');
    } finally {
      active -= 1;
    }
  };
  const sweepDue = async (): Promise<void> => {
    if (active >= concurrency) return;
    try {
      if (Date.now() - sweptAt > keySweepMs) {
        sweptAt = Date.now();
        await sagaStore.expireKeys();
      }
      // Not waited for: a slow order must not hold up the others.
      for (const saga of await sagaStore.due(concurrency - active)) void resume(saga);
    } catch (error) {
      logger.warn({ err: error }, 'saga worker');
    }
  };
  const schedule = (ms: number): void => {
    clearTimeout(timer);
    const look = () => {
      timer = undefined;
      sweep = sweepDue().then(() => {
        if (running) schedule(pollMs);
      });
    };
    timer = detached(() => setTimeout(look, ms));
  };
  return {
    wake() {
      if (running && timer) schedule(0);
    },
    start() {
      running = true;
      schedule(0);
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      await sweep;
      await runner.idle();
    },
  };
}
