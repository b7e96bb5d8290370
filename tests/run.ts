/**
 * Runs test files, each in a process of its own: a line for each, what its failed tests and their output say, and at the
 * end `N passed, N failed`.
 *
 *   node tests/run.ts [--concurrency N] PATTERN...
 */
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

const totals = { passed: 0, failed: 0, skipped: 0 };
const outputs = new Map<string, string>();
const print = (text: string) => process.stdout.write(`${text}\n`);
const keep = ({ file, message }: { file?: string | undefined; message: string }) =>
  outputs.set(file ?? '', (outputs.get(file ?? '') ?? '') + message);

run({ files, concurrency: Number(values.concurrency), timeout: 300_000 })
  .on('test:stdout', keep)
  .on('test:stderr', keep)
  .on('test:fail', ({ name, file, line, details }) => {
    // A suite fails with its tests, which speak for themselves.
    if ((details.error as { failureType?: string }).failureType === 'subtestsFailed') return;
    const { cause } = details.error;
    // A file that ends before its tests do has no line of its own; what it wrote says why.
    const why = String(cause) === 'test failed' ? outputs.get(file ?? '') : inspect(cause ?? details.error);
    print(`\nFAILED ${name} (${relative('.', file ?? '')}:${line})\n${why}\n`);
  })
  .on('test:summary', ({ file, counts, duration_ms: ms, success }) => {
    if (file !== undefined) {
      const seconds = (ms / 1_000).toFixed(1);
      print(`${success ? 'ok    ' : 'FAILED'} ${relative('.', file)}: ${counts.passed} in ${seconds} s`);
      if (!success) print(outputs.get(file) ?? '');
      return;
    }
    totals.passed = counts.passed;
    totals.failed = counts.tests - counts.passed - counts.skipped - counts.todo;
    totals.skipped = counts.skipped + counts.todo;
  })
  .on('end', () => {
    const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
    print(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
    process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
  })
  .resume();
