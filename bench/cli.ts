/**
 * Measures the shop on this machine and writes what it found to bench/report.
 *
 *   npm run bench -- catalogue [--rows N] [--clients N] [--seconds N] [--seed N]
 *
 * With MONGOD_BIN on MongoDB too, beside the embedded store.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchCatalogue, type CatalogueFigures } from './catalogue.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const options = {
  rows: Number(values.rows),
  clients: Number(values.clients),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
};

if (positionals.length > 1 || (positionals[0] ?? 'catalogue') !== 'catalogue') {
  say('npm run bench -- catalogue [--rows N] [--clients N] [--seconds N] [--seed N]');
  process.exit(1);
}
const text = reportOf(await benchCatalogue({ ...options, say }));
const folder = join(import.meta.dirname, 'report');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'catalogue.md'), text);
process.stdout.write(text);

function reportOf(figures: readonly CatalogueFigures[]): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const rows = figures.flatMap(({ store, reads }) =>
    reads.map(
      ({ name, requestsPerSecond, p50, p99, errors }) =>
        `| ${name} | ${store} | ${requestsPerSecond.toFixed(0)} | ${p50} | ${p99} | ${errors} |`,
    ),
  );
  const imports = figures.map(
    ({ store, importRowsPerSecond, peakMiB, afterMiB }) =>
      `| ${store} | ${importRowsPerSecond.toFixed(0)} | ${peakMiB} | ${afterMiB} |`,
  );
  return `# Catalogue

${options.rows} generated products (seed ${options.seed}), ${options.clients} clients, ${options.seconds} s each; product-service in a process of its
own, whose clients run on the same machine. ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${machine}.

| store | import, rows/s | memory in the import, MiB | memory after the reads, MiB |
|---|---|---|---|
${imports.join('\n')}

| read | store | requests/s | p50, ms | p99, ms | errors |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}
