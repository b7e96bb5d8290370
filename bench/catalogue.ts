import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import autocannon from 'autocannon';
import { startMongod } from '../tests/real/servers.ts';
import { generateProducts, generateSearches } from './products.ts';
import { bars, type Report, table } from './report.ts';

export interface CatalogueOptions {
  rows: number;
  clients: number;
  /** Length of each measurement, in seconds. */
  seconds: number;
  seed: number;
  say(line: string): void;
}

interface CatalogueFigures {
  store: string;
  importRowsPerSecond: number;
  /** Resident memory of product-service, in mebibytes: at its largest in the import, and after all reads. */
  peakMiB: number;
  afterMiB: number;
  reads: { name: string; requestsPerSecond: number; p50: number; p99: number; errors: number }[];
}

interface Store {
  name: string;
  uri: string;
  stop(): Promise<void>;
}

/** Heap that the service is given, so that it stays under 512 MiB. */
const heapMiB = 352;

/** Measures the catalogue of product-service on each store that is there: its import and its reads. */
export async function benchCatalogue(options: CatalogueOptions): Promise<Report> {
  const figures: CatalogueFigures[] = [];
  for (const start of [startEmbedded, ...(process.env.MONGOD_BIN ? [startServer] : [])]) {
    const store = await start();
    options.say(`${store.name}: ${options.rows} products`);
    try {
      figures.push(await measure(store, options));
    } finally {
      await store.stop();
    }
  }
  return reportOf(figures, options);
}

async function measure(store: Store, options: CatalogueOptions): Promise<CatalogueFigures> {
  const service = fork(join(import.meta.dirname, 'catalogueService.ts'), {
    execArgv: [`--max-old-space-size=${heapMiB}`],
    env: { ...process.env, TEST_MONGODB_URI: store.uri },
  });
  try {
    const [{ url, admin }] = (await once(service, 'message')) as [{ url: string; admin: string }];
    const importRowsPerSecond = await importAll(url, admin, options);
    const { peak } = await memoryOf(service);
    const reads = [];
    for (const [name, paths] of Object.entries(await pathsOf(url, options))) {
      const { rate, p50, p99, errors } = await load(url, paths, options);
      options.say(`${store.name}: ${name} ${rate.toFixed(0)}/s, p50 ${p50} ms, p99 ${p99} ms`);
      reads.push({ name, requestsPerSecond: rate, p50, p99, errors });
    }
    const { rss } = await memoryOf(service);
    return { store: store.name, importRowsPerSecond, peakMiB: toMiB(peak), afterMiB: toMiB(rss), reads };
  } finally {
    service.disconnect();
    await once(service, 'exit');
  }
}

const toMiB = (bytes: number): number => Math.round(bytes / 2 ** 20);

async function memoryOf(service: ChildProcess): Promise<{ rss: number; peak: number }> {
  service.send('memory');
  return ((await once(service, 'message')) as [{ rss: number; peak: number }])[0];
}

async function importAll(url: string, admin: string, { rows, seed, say }: CatalogueOptions): Promise<number> {
  const started = performance.now();
  const lines = function* () {
    let count = 0;
    for (const product of generateProducts(rows, seed)) {
      count += 1;
      if (count % 20_000 === 0) say(`${count} of ${rows} rows sent`);
      yield `${JSON.stringify(product)}\n`;
    }
  };
  const response = await fetch(`${url}/api/products/import`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/x-ndjson' },
    body: Readable.toWeb(Readable.from(lines())) as ReadableStream,
    duplex: 'half',
  } as RequestInit);
  const { created } = (await response.json()) as { created?: number };
  if (created !== rows) throw new Error(`${created} of ${rows} products were created`);
  return rows / ((performance.now() - started) / 1_000);
}

/** What is asked for, by the name of the measurement. */
async function pathsOf(url: string, { seed }: CatalogueOptions): Promise<Record<string, string[]>> {
  const items = async (path: string) =>
    (await (await fetch(url + path)).json()) as { items: { id: string }[]; nextCursor?: string | null };
  const searches = generateSearches(1_000, seed).map(search => `/api/products?search=${encodeURIComponent(search)}`);
  let page = await items('/api/products?limit=20');
  const ids: string[] = [];
  let path = '';
  for (let n = 2; n <= 500 && page.nextCursor; n += 1) {
    ids.push(...page.items.map(({ id }) => id));
    path = `/api/products?limit=20&cursor=${encodeURIComponent(page.nextCursor)}`;
    page = await items(path);
  }
  const categories = ['Kitchen', 'Garden', 'Bedroom > Storage', 'Office > Lighting'];
  const filters = categories.flatMap(category =>
    [0, 500, 2_000, 9_000].map(
      from =>
        `/api/products?category=${encodeURIComponent(category)}&minPrice=${from}&maxPrice=${from + 1_000}&sort=price`,
    ),
  );
  return {
    search: searches,
    suggest: generateSearches(1_000, seed + 1).map(search => `/api/products/suggest?q=${encodeURIComponent(search)}`),
    'filter and sort': filters,
    'page 500': [path],
    'get by id': ids.map(id => `/api/products/${id}`),
  };
}

async function load(url: string, paths: readonly string[], { clients, seconds }: CatalogueOptions) {
  const requests = paths.map(path => ({ method: 'GET' as const, path }));
  const run = (duration: number) => autocannon({ url, requests, connections: clients, duration });
  await run(2);
  const { requests: rate, latency, errors, non2xx } = await run(seconds);
  return { rate: rate.average, p50: latency.p50, p99: latency.p99, errors: errors + non2xx };
}

async function startEmbedded(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-bench-'));
  const child = spawn(process.execPath, [
    join(import.meta.dirname, '..', 'local', 'store', 'storeProcess.ts'),
    join(folder, 'bench.db'),
  ]);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    name: 'embedded store',
    uri: `mongodb://127.0.0.1:${Number(String(line))}`,
    stop: () => end(child, folder),
  };
}

async function startServer(): Promise<Store> {
  const { url, close } = await startMongod();
  return { name: 'MongoDB', uri: url, stop: close };
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  rmSync(folder, { recursive: true, force: true });
}

async function reportOf(figures: readonly CatalogueFigures[], options: CatalogueOptions): Promise<Report> {
  const all = figures.flatMap(({ store, reads }) => reads.map(read => ({ store, ...read })));
  const imports = figures.map(({ store, importRowsPerSecond, peakMiB, afterMiB }) => [
    ...[store, importRowsPerSecond.toFixed(0), String(peakMiB), String(afterMiB)],
  ]);
  const reads = all.map(({ name, store, requestsPerSecond, p50, p99, errors }) => [
    ...[name, store, requestsPerSecond.toFixed(0), String(p50), String(p99), String(errors)],
  ]);
  return {
    title: 'Catalogue',
    text: `${options.rows} generated products (seed ${options.seed}), ${options.clients} clients, ${options.seconds} s each; product-service in a process of its
own with a heap of ${heapMiB} MiB, whose clients run on the same machine.

${table(['store', 'import, rows/s', 'memory in the import, MiB', 'memory after the reads, MiB'], imports)}

${table(['read', 'store', 'requests/s', 'p50, ms', 'p99, ms', 'errors'], reads)}

![Milliseconds below which 99 % of the reads are answered](catalogue.svg)
`,
    plots: {
      'catalogue.svg': await bars({
        title: '99 % of the reads are answered within',
        unit: 'ms',
        values: all.map(({ name, store, p99 }) => ({ name: `${name}, ${store}`, value: p99 })),
      }),
    },
    ratios: {},
  };
}
