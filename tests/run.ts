/**
 * Runs test files, each in a process of its own: a line for each, with what its tests note (seeds, figures, what was left
 * out), what its failed tests and their output say, and at the end `N passed, N failed`.
 *
 *   node tests/run.ts [--concurrency N] PATTERN...
 */
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { inspect, parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: 'string', default: String(availableParallelism()) } },
});

const files = globSync(positionals, { exclude: ['**/node_modules/**'] }).sort();
if (files.length === 0) {
  process.stderr.write(`No test file fits ${positionals.join(' ')}\n`);
  process.exit(1);
}

// Hundreds of processes load the same files; each is compiled once.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'node-compile-cache');

const [testLimitMs, fileLimitMs] = [300_000, 900_000];
const totals = { passed: 0, failed: 0, skipped: 0 };
const print = (text: string) => process.stdout.write(`${text}\n`);

/** Runs a file; one whose process has not ended in time, whatever keeps it alive, is ended and has failed. */
async function runFile(path: string): Promise<void> {
  let output = '';
  const notes: string[] = [];
  const keep = ({ message }: { message: string }) => {
    output += message;
  };
  const started = performance.now();
  const events = run({ files: [path], timeout: testLimitMs, signal: AbortSignal.timeout(fileLimitMs) })
    .on('test:stdout', keep)
    .on('test:stderr', keep)
    .on('test:diagnostic', ({ file, message }) => {
      // The runner's own, which sum up, name no file.
      if (file !== undefined) notes.push(`       ${message}`);
    })
    .on('test:fail', ({ name, file, line, details }) => {
      // A suite fails with its tests, which speak for themselves.
      if ((details.error as { failureType?: string }).failureType === 'subtestsFailed') return;
      const { cause } = details.error;
      // A file that ends before its tests do has no line of its own; what it wrote says why.
      const why = String(cause) === 'test failed' ? output : inspect(cause ?? details.error);
      print(`\nFAILED ${name} (${relative('.', file ?? path)}:${line})\n${why}\n`);
    })
    .on('test:summary', ({ file, counts, success }) => {
      if (file !== undefined) return;
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      print([`${success ? 'ok    ' : 'FAILED'} ${path}: ${counts.passed} in ${seconds} s`, ...notes].join('\n'));
      if (!success) print(output);
      totals.passed += counts.passed;
      totals.failed += counts.tests - counts.passed - counts.skipped - counts.todo;
      totals.skipped += counts.skipped + counts.todo;
    })
    .resume();
  await once(events, 'end');
}

const waiting = files.values();
const worker = async () => {
  for (const path of waiting) await runFile(path);
};
await Promise.all(Array.from({ length: Number(values.concurrency) }, worker));
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
print(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
