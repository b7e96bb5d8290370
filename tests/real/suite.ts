import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../architecture/sourceFiles.ts';

/** How many tests of some files passed and failed. */
export interface Result {
  passed: number;
  failed: number;
}

/** Whether the environment's setting of this name is no program that can be run. */
export const isMissing = (name: string): boolean => {
  try {
    accessSync(process.env[name] ?? '', constants.X_OK);
    return false;
  } catch {
    return true;
  }
};

/** Runs test files as all others are run; a run without its closing line counts as failed. */
export function runFiles(
  patterns: string[],
  concurrency: number,
  environment: Record<string, string>,
): Promise<Result> {
  const args = [join(root, 'tests', 'run.ts'), '--concurrency', String(concurrency), ...patterns];
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  let output = '';
  child.stdout.on('data', chunk => {
    output += chunk;
    process.stdout.write(chunk);
  });
  return new Promise(resolve => {
    child.once('close', code => {
      const [, passed, failed] = /^(\d+) passed, (\d+) failed/m.exec(output) ?? [];
      if (passed === undefined) resolve({ passed: 0, failed: 1 });
      else resolve({ passed: Number(passed), failed: Math.max(Number(failed), code === 0 ? 0 : 1) });
    });
  });
}

/**
 * Runs test files one after the other, since what happens under load must not depend on a second shop's load, and shows
 * what they have measured.
 */
export async function runUnderLoad(patterns: string[], environment: Record<string, string> = {}): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-figures-'));
  const file = join(folder, 'figures.ndjson');
  const result = await runFiles(patterns, 1, { ...environment, TEST_FIGURES: file });
  printFigures(file);
  rmSync(folder, { recursive: true, force: true });
  return result;
}

function printFigures(file: string): void {
  if (!existsSync(file)) return;
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const all = lines.map(line => JSON.parse(line) as { orders: number; settledMs?: number; pauseMs: number });
  const orders = all.reduce((total, one) => total + one.orders, 0);
  const longest = (key: 'settledMs' | 'pauseMs') => Math.round(Math.max(...all.map(one => one[key] ?? 0)));
  process.stdout.write(
    `\n${lines.join('\n')}\n${orders} orders, longest pause ${longest('pauseMs')} ms, ` +
      `longest recovery ${longest('settledMs')} ms\n`,
  );
}

/** The closing line of a suite, and its exit code: a suite of which nothing ran has failed. */
export function close(results: readonly Result[]): void {
  const sum = (key: keyof Result) => results.reduce((total, result) => total + result[key], 0);
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`);
  process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0;
}

/** Says that a suite did not run for want of programs; nothing has failed by that. */
export function closeWithout(missing: readonly string[], suite: string): void {
  process.stdout.write(`No program at ${missing.join(', ')}: ${suite} did not run\n0 passed, 0 failed\n`);
}
