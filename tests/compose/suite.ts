import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { root } from '../architecture/sourceFiles.ts';

export interface Counts {
  passed: number;
  failed: number;
}

/** A port of 127.0.0.1 that nobody has at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Runs groups of test files one after the other, for later ones may change what earlier ones count on. */
export async function runGroups(groups: readonly (readonly string[])[], signal: AbortSignal): Promise<Counts> {
  const counts = { passed: 0, failed: 0 };
  for (const patterns of groups) {
    const { passed, failed } = await runFiles(patterns, signal);
    counts.passed += passed;
    counts.failed += failed;
  }
  return counts;
}

/** Runs test files one after the other; a run without its closing line counts as failed. */
function runFiles(patterns: readonly string[], signal: AbortSignal): Promise<Counts> {
  const child = spawn(process.execPath, [join(root, 'tests', 'run.ts'), '--concurrency', '1', ...patterns], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  let output = '';
  child.stdout.on('data', chunk => {
    output += chunk;
    process.stdout.write(chunk);
  });
  child.on('error', () => {});
  return new Promise(resolve => {
    child.once('close', code => {
      const [, passed, failed] = /^(\d+) passed, (\d+) failed/m.exec(output) ?? [];
      if (passed === undefined) resolve({ passed: 0, failed: 1 });
      else resolve({ passed: Number(passed), failed: Math.max(Number(failed), code === 0 ? 0 : 1) });
    });
  });
}

/** `12.3 s` since a moment of performance.now(). */
export const secondsSince = (moment: number): string => `${((performance.now() - moment) / 1_000).toFixed(1)} s`;

/** Mebibytes in what `docker stats` says of containers, added up. */
export function mebibytesUsed(stats: string): number {
  const used = [...stats.matchAll(/ ([\d.]+)([MG])iB \//g)].map(
    ([, n, unit]) => Number(n) * (unit === 'G' ? 1_024 : 1),
  );
  return Math.round(used.reduce((sum, one) => sum + one, 0));
}
