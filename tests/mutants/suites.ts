import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { explored, type Suite } from './mutant.ts';

export interface SuiteOptions {
  schedules: string;
  seed: string;
  signal: AbortSignal;
}

export interface SuiteResult {
  outcome: 'passed' | 'failed' | 'no answer';
  /** The first test that failed or promise that was broken. */
  first?: string | undefined;
  output: string;
  seconds: number;
}

/** Far more than any of the suites takes on a busy machine. */
const limitMs = 120_000;

/** What the suites print for a test that failed or a promise that was broken; with one of those they exit with 1. */
const failure = /^(?:FAILED| {2}VIOLATED) (.*)\n/m;

/** Runs a suite of a copy of the project, one process or thread at a time, to its end or its first failure. */
export async function runSuite(copy: string, suite: Suite, options: SuiteOptions): Promise<SuiteResult> {
  const began = performance.now();
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(limitMs)]);
  const child = spawn(process.execPath, commandOf(suite, options), {
    cwd: copy,
    // A group of its own, so that with it end the processes that it starts.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = () => endGroup(child);
  limit.addEventListener('abort', end);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (failure.test(output)) end();
    });
  }
  const [code] = await once(child, 'close');
  limit.removeEventListener('abort', end);
  options.signal.throwIfAborted();
  return {
    outcome: limit.aborted ? 'no answer' : code === 0 ? 'passed' : 'failed',
    first: /^(?:FAILED| {2}VIOLATED) (.*)/m.exec(output)?.[1] ?? '',
    output,
    seconds: (performance.now() - began) / 1_000,
  };
}

function commandOf(suite: Suite, { schedules, seed }: SuiteOptions): string[] {
  if (suite === explored) {
    return ['tests/explore/cli.ts', '--schedules', schedules, '--seed', seed, '--first', '--threads', '1'];
  }
  return ['tests/run.ts', '--concurrency', '1', suite];
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
