import { withinMs } from '@tradepost/shared/lifecycle';
import type { Logger } from '@tradepost/shared/logger';

/** Ends what was begun, the last first, each part within its own limit, so that a stuck one holds up nothing else. */
export interface Teardown {
  add(name: string, limitMs: number, end: () => Promise<unknown>): void;
  /** May be called again: what was ended is not ended twice. */
  run(): Promise<void>;
}

export function createTeardown(logger: Logger): Teardown {
  const parts: { name: string; limitMs: number; end: () => Promise<unknown> }[] = [];
  return {
    add: (name, limitMs, end) => parts.push({ name, limitMs, end }),
    async run() {
      for (let part = parts.pop(); part; part = parts.pop()) {
        const ended = await withinMs(part.limitMs, part.end()).catch((error: unknown) => {
          logger.warn({ err: error }, `${part?.name} did not stop cleanly`);
          return true;
        });
        if (!ended) logger.warn(`${part.name} did not stop within ${part.limitMs} ms`);
      }
    },
  };
}
