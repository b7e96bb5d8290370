import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { withinMs } from '@tradepost/shared/lifecycle';

export interface KeepRunningOptions {
  /** TypeScript file, asked for at every start. */
  script(): string;
  environment: Readonly<Record<string, string | undefined>>;
  /** Takes what the process writes, line by line, and what happens to it. */
  line(text: string): void;
  /** Uniform in [0, 1), for jitter. */
  random: () => number;
  /** Waits before the next start; ends at once when `signal` aborts. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A process that is started again whenever it ends. */
export interface KeptProcess {
  /** Undefined while none runs. */
  pid(): number | undefined;
  /** How often it was started again. */
  restarts(): number;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to end by SIGTERM, kills it after `limitMs`, and starts it no more. */
  stop(limitMs: number): Promise<void>;
}

const [minDelayMs, maxDelayMs, steadyMs] = [100, 10_000, 10_000];

/**
 * Room for young objects, in MiB, of which V8 has two; of itself it lets them grow to 64 MiB each under load, and counts them
 * against `--max-old-space-size`: past that it collects without end. The Dockerfile and `npm start` say the same.
 */
export const youngObjects = '--max-semi-space-size=8';

/**
 * Keeps one process running: starts it, and again whenever it ends, after pauses that double from 0.1 s to 10 s with up
 * to half of each taken off at random. One that lasted less than 10 s counts as a failed try. The process has a group of
 * its own, so that a Ctrl-C reaches only whoever keeps it, and a channel that tells it when that one is gone.
 */
export function keepRunning(options: KeepRunningOptions): KeptProcess {
  const stopping = new AbortController();
  const pause = options.pause ?? pauseFor;
  let child: ChildProcess | undefined;
  let starts = 0;

  async function runOnce(): Promise<number> {
    const startedAt = performance.now();
    const current = spawn(process.execPath, [youngObjects, options.script()], {
      env: options.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = current;
    starts += 1;
    for (const stream of [current.stdout, current.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', options.line);
    }
    const [code, signal] = await once(current, 'close');
    child = undefined;
    const lastedMs = performance.now() - startedAt;
    if (!stopping.signal.aborted) options.line(`ended (${signal ?? `code ${code}`}) and is started again`);
    return lastedMs;
  }

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures += 1) {
      if ((await runOnce()) > steadyMs) failures = 0;
      const delayMs = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(failures, 10)) * (1 - options.random() / 2);
      await pause(delayMs, stopping.signal);
    }
  }

  const running = run();
  return {
    pid: () => child?.pid,
    restarts: () => Math.max(0, starts - 1),
    signal: signal => void child?.kill(signal),
    async stop(limitMs) {
      stopping.abort();
      child?.kill('SIGTERM');
      if (await withinMs(limitMs, running)) return;
      child?.kill('SIGKILL');
      await running;
    },
  };
}

const pauseFor = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});
