/**
 * Sends a file of products to the shop, as an administrator.
 *
 *   npm run import -- FILE [--url URL] [--type csv|ndjson]
 */
import { createReadStream, statSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import { type ReachableShop, reachShop, runClient } from '../reachShop.ts';
import { withProgress } from './progressBar.ts';

const usage = `npm run import -- FILE [--url URL] [--type csv|ndjson]

  FILE    products as POST /api/products/import takes them: CSV or NDJSON, also gzipped; - reads standard input
  --url   address of the gateway (the shop of DATA_DIR)
  --type  csv or ndjson, when the name of the file does not tell

The administrator is ADMIN_EMAIL and ADMIN_PASSWORD, or the one that the shop of DATA_DIR made up. Rows are kept as they
arrive; running it again with the same file goes on where it ended.`;

const mediaTypes = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

const importResult = z.object({
  created: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  rejected: z.array(
    z.object({
      line: z.int(),
      sku: z.string().optional(),
      errors: z.array(z.object({ path: z.string(), message: z.string() })),
    }),
  ),
  rejectedCount: z.int().optional(),
});
type ImportResult = z.infer<typeof importResult>;

interface ImportOptions extends ReachableShop {
  path: string;
  type: string;
}

function optionsOf(args: string[], environment: NodeJS.ProcessEnv): ImportOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { url: { type: 'string' }, type: { type: 'string' } },
  });
  const [path, ...others] = positionals;
  if (path === undefined || others.length > 0) throw new StartError(usage);
  const named =
    values.type ?? /\.(csv|ndjson|jsonl)(\.gz)?$/i.exec(path)?.[1]?.toLowerCase().replace('jsonl', 'ndjson');
  if (named !== 'csv' && named !== 'ndjson') throw new StartError(`--type must be csv or ndjson for ${path}`);
  return { path, type: mediaTypes[named], ...reachShop(values.url, environment) };
}

async function request(url: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(url, init).catch((error: Error) => {
    throw new StartError(`${url} does not answer: ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
  const body = await response.json().catch(() => undefined);
  if (response.ok) return body;
  const { code, detail } = (body ?? {}) as { code?: string; detail?: string };
  throw new StartError(`${url} answered ${response.status} ${code ?? ''}: ${detail ?? ''}`);
}

async function signIn({ url, admin }: ImportOptions): Promise<string> {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(admin) };
  return z.object({ accessToken: z.string() }).parse(await request(`${url}/api/users/login`, init)).accessToken;
}

/** The file's bytes, counted as they are read; a file that cannot be read ends the import with its name. */
function open(path: string, onRead: (bytes: number) => void): Readable {
  const source = path === '-' ? process.stdin : createReadStream(path);
  let read = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read += chunk.length;
      onRead(read);
      done(null, chunk);
    },
  });
  const unpacked = path.endsWith('.gz') ? createGunzip() : undefined;
  const last = unpacked ?? counter;
  const fail = (error: Error) => last.destroy(new StartError(`${path}: ${error.message}`));
  source.once('error', fail).pipe(counter);
  if (unpacked) counter.pipe(unpacked);
  return last;
}

async function importFile(options: ImportOptions): Promise<ImportResult> {
  const token = await signIn(options);
  const size = options.path === '-' ? 0 : sizeOf(options.path);
  return withProgress('bytes', async onProgress => {
    const body = open(options.path, read => onProgress(read, Math.max(read, size)));
    let failure: Error | undefined;
    body.once('error', error => {
      failure = error;
    });
    try {
      const answer = await request(`${options.url}/api/products/import`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': options.type },
        body: Readable.toWeb(body) as ReadableStream,
        duplex: 'half',
      } as RequestInit);
      return importResult.parse(answer);
    } catch (error) {
      throw failure ?? error;
    }
  });
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw new StartError(`${path}: ${(error as Error).message}`);
  }
}

function reportOf(result: ImportResult, seconds: number): string {
  const { created, updated, unchanged, rejected } = result;
  const refused = result.rejectedCount ?? rejected.length;
  const rows = created + updated + unchanged + refused;
  const lines = rejected.map(({ line, sku, errors }) => {
    const why = errors.map(({ path, message }) => (path ? `${path} ${message}` : message)).join('; ');
    return `line ${line}${sku === undefined ? '' : ` (${sku})`}: ${why}`;
  });
  if (refused > rejected.length) lines.push(`… and ${refused - rejected.length} more`);
  lines.push(
    `${rows} rows in ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows/s: ` +
      `${created} created, ${updated} updated, ${unchanged} unchanged, ${refused} refused`,
  );
  return lines.join('\n');
}

await runClient(async () => {
  const options = optionsOf(process.argv.slice(2), process.env);
  const started = performance.now();
  const result = await importFile(options);
  process.stdout.write(`${reportOf(result, (performance.now() - started) / 1_000)}\n`);
  if ((result.rejectedCount ?? result.rejected.length) > 0) process.exitCode = 1;
});
