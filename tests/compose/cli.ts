/**
 * Runs the shop of docker-compose.yml on this machine's Docker engine, in a project of its own on free ports: builds it,
 * starts it, and holds it against the black-box tests and against containers that are killed, scaled and replaced. Without
 * Grafana and Jaeger, on which nothing depends.
 *
 *   npm run test:compose -- [PATTERN...]
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose, docker, until, whyNoEngine } from './engine.ts';
import { startPrometheus } from './prometheus.ts';
import { freePort, mebibytesUsed, runGroups, secondsSince } from './suite.ts';

const blackBox = ['tour', 'orders', 'errors', 'catalogue', 'import'].map(name => `tests/system/${name}.int.test.ts`);
// Those of the suite's own sell so much that there is stock enough for ever.
const groups = [blackBox, ['tests/compose/*.compose.ts']];
const print = (text: string) => process.stdout.write(`${text}\n`);

const why = await whyNoEngine();
if (why !== undefined) {
  print(`No Docker engine answers (${why}): the shop in containers was not tested\n\n0 passed, 0 failed`);
  process.exit(0);
}

const ports = ['GATEWAY', 'RABBITMQ', 'CONSUL', 'PROMETHEUS', 'GRAFANA', 'JAEGER'];
for (const name of ports) process.env[`${name}_PORT`] = String(await freePort());
const folder = mkdtempSync(join(tmpdir(), 'tradepost-figures-'));
const figures = join(folder, 'figures.ndjson');
const admin = { email: 'admin@tradepost.example', password: randomBytes(12).toString('base64url') };
Object.assign(process.env, {
  COMPOSE_PROJECT_NAME: 'tradepost-test',
  COMPOSE_PROFILES: 'core',
  ADMIN_EMAIL: admin.email,
  ADMIN_PASSWORD: admin.password,
  RATE_LIMIT_PER_MINUTE: '1000000',
  AUTH_RATE_LIMIT: '1000000',
  SEED_DEMO: 'true',
  OTEL_EXPORTER_OTLP_ENDPOINT: '',
  TEST_FIGURES: figures,
  TEST_SHOP_URL: `http://127.0.0.1:${process.env.GATEWAY_PORT}`,
  TEST_SHOP_ADMIN: `${admin.email}:${admin.password}`,
});

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());

let result = { passed: 0, failed: 1 };
let stopTelling = (): void => {};
try {
  await start();
  result = await runGroups(process.argv.length > 2 ? [process.argv.slice(2)] : groups, stopping.signal);
  const faults = await ownFaults();
  print(faults.length > 0 ? `\nFAILED internal errors in the log:\n${faults.slice(0, 5).join('\n')}` : '');
  result = { passed: result.passed + (faults.length > 0 ? 0 : 1), failed: result.failed + (faults.length > 0 ? 1 : 0) };
} catch (error) {
  const { message, stderr } = error as Error & { stderr?: string };
  print(`${message}\n${stderr ?? ''}`);
  print((await compose('ps', '--all')).stdout);
} finally {
  await compose('--profile', '*', 'down', '--volumes', '--timeout', '20');
  stopTelling();
}
if (existsSync(figures)) print(`\n${readFileSync(figures, 'utf8').trim()}`);
rmSync(folder, { recursive: true });
print(`\n${result.passed} passed, ${result.failed} failed`);
process.exit(result.failed > 0 ? 1 : 0);

/** Builds and starts the shop, and says how long it took and what it needs. */
async function start(): Promise<void> {
  await compose('--profile', '*', 'down', '--volumes', '--timeout', '20');
  const building = performance.now();
  await compose('build');
  const sizes = await docker('image', 'ls', '--format', '{{.Repository}} {{.Size}}', 'tradepost/*');
  print(`built in ${secondsSince(building)}:\n${sizes.stdout}`);
  const starting = performance.now();
  await compose('up', '--detach');
  await until(async () => {
    const answer = await fetch(`${process.env.TEST_SHOP_URL}/health/ready`).catch(() => undefined);
    return answer?.ok ?? stopping.signal.aborted;
  }, 300_000);
  print(`ready ${secondsSince(starting)} after docker compose up`);
  stopTelling = await startPrometheus(folder, print);
  const products = `${process.env.TEST_SHOP_URL}/api/products?limit=100`;
  await until(async () => ((await (await fetch(products)).json()) as { items: unknown[] }).items.length >= 20, 60_000);
  print(`with its catalogue after ${secondsSince(starting)}; memory of each container:`);
  const { stdout } = await docker(
    ...['stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}'],
    ...(await compose('ps', '--quiet')).stdout.trim().split('\n'),
  );
  print(`${stdout}all: ${mebibytesUsed(stdout)} MiB\n`);
}

/** Lines of the log about errors of our own making. */
async function ownFaults(): Promise<string[]> {
  const { stdout } = await compose('logs', '--no-color', '--no-log-prefix');
  return stdout.split('\n').filter(line => line.includes('"code":"internal_error"'));
}
