import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from './config.ts';
import type { Logger } from './logger.ts';

/** Runs one step of a shutdown within a limit, so that one stuck part does not hold up the rest. */
export async function withinMs(ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = new AbortController();
  try {
    return await Promise.race([work.then(() => true), sleep(ms, false, { signal: late.signal }).catch(() => false)]);
  } finally {
    late.abort();
  }
}

/**
 * Repeats `attempt` until it succeeds, waiting longer each time (full jitter, at most 10 s), for dependencies that come
 * later. Ends silently when `signal` aborts.
 * @throws ConfigError or StartError of the attempt at once
 */
export async function untilAvailable(
  attempt: () => Promise<void>,
  options: { what: string; logger: Logger; random: () => number; signal: AbortSignal },
): Promise<void> {
  for (let tries = 0; !options.signal.aborted; tries += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      // No time mends a wrong setting.
      if (error instanceof ConfigError || error instanceof StartError) throw error;
      options.logger.warn({ err: error, tries }, `${options.what} is not available yet`);
      const waitMs = 100 + options.random() * Math.min(10_000, 200 * 2 ** tries);
      await sleep(waitMs, undefined, { signal: options.signal }).catch(() => {});
    }
  }
}

/**
 * Runs a program until SIGINT or SIGTERM, or until the process that keeps it running by a channel is gone, then `stop`,
 * then exits 0; a second signal or `stopLimitMs` exit 1 at once. A ConfigError while starting is printed as it is and
 * exits 1.
 * @param start begins the work and resolves to what ends it
 */
export async function runProgram(
  start: (signal: AbortSignal) => Promise<{ stop(): Promise<void> }>,
  stopLimitMs = 20_000,
): Promise<void> {
  const stopping = new AbortController();
  const told = new Promise<void>(resolve => stopping.signal.addEventListener('abort', () => resolve()));
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(1);
      stopping.abort();
    });
  }
  process.on('disconnect', () => stopping.abort());
  try {
    const program = await start(stopping.signal);
    await told;
    setTimeout(() => process.exit(1), stopLimitMs).unref();
    await program.stop();
    process.exit(0);
  } catch (error) {
    const known = error instanceof ConfigError || error instanceof StartError;
    process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
}

/** A start that cannot succeed, with a message for the person who started it. */
export class StartError extends Error {
  override name = 'StartError';
}
