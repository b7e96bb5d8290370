/**
 * Runs the shop of deploy/swarm.yml on a Swarm of one machine, three tasks each of gateway, order-service and
 * inventory-service, and holds it against black-box tests, updates, a broken version and tasks that are killed. A Swarm that
 * it had to begin it also ends.
 *
 *   npm run test:swarm -- [PATTERN...]
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose, docker, until, whyNoEngine } from '../compose/engine.ts';
import { freePort, mebibytesUsed, runGroups, secondsSince } from '../compose/suite.ts';
import { deploy, makeSecrets, removeStack, stackName, tasksOf, withSwarm } from './stack.ts';

const blackBox = ['tour', 'orders'].map(name => `tests/system/${name}.int.test.ts`);
// Those of the suite's own sell so much that there is stock enough for ever.
const groups = [blackBox, ['tests/swarm/*.swarm.ts']];
const print = (text: string) => process.stdout.write(`${text}\n`);

const why = await whyNoEngine();
if (why !== undefined) {
  print(`No Docker engine answers (${why}): the shop on a Swarm was not tested\n\n0 passed, 0 failed`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'tradepost-swarm-'));
const figures = join(folder, 'figures.ndjson');
const port = await freePort();
const admin = makeSecrets(folder);
Object.assign(process.env, {
  ...{ SECRETS_DIR: join(folder, 'stack'), SECRETS_VERSION: `test-${process.pid}` },
  // Those of which the tests want more than one have three.
  ...{ USER_REPLICAS: '1', PRODUCT_REPLICAS: '1', PAYMENT_REPLICAS: '1' },
  ...{ RATE_LIMIT_PER_MINUTE: '1000000', AUTH_RATE_LIMIT: '1000000', SEED_DEMO: 'true' },
  ...{ TEST_FIGURES: figures, TEST_SHOP_URL: `http://127.0.0.1:${port}`, TEST_SHOP_ADMIN: admin },
});

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());

const leaveSwarm = await withSwarm();
let result = { passed: 0, failed: 1 };
try {
  await start();
  result = await runGroups(process.argv.length > 2 ? [process.argv.slice(2)] : groups, stopping.signal);
} catch (error) {
  const { message, stderr } = error as Error & { stderr?: string };
  print(`${message}\n${stderr ?? ''}`);
  print((await docker('stack', 'ps', '--no-trunc', stackName)).stdout);
} finally {
  await removeStack();
  await leaveSwarm();
}
if (existsSync(figures)) print(`\n${readFileSync(figures, 'utf8').trim()}`);
rmSync(folder, { recursive: true });
print(`\n${result.passed} passed, ${result.failed} failed`);
process.exit(result.failed > 0 ? 1 : 0);

/** Builds the images and starts the stack, and says how long it took and what it needs. */
async function start(): Promise<void> {
  await removeStack();
  await compose('build');
  const starting = performance.now();
  await deploy(folder, port);
  const answer = (path: string) => fetch(`${process.env.TEST_SHOP_URL}${path}`).catch(() => undefined);
  await until(async () => (await answer('/health/ready'))?.ok ?? stopping.signal.aborted, 600_000);
  print(`ready ${secondsSince(starting)} after docker stack deploy`);
  const count = async () => {
    const page = (await (await answer('/api/products?limit=100'))?.json().catch(() => undefined)) as { items?: [] };
    return page?.items?.length ?? 0;
  };
  await until(async () => (await count()) >= 20 || stopping.signal.aborted, 600_000);
  for (const name of ['gateway', 'order-service', 'inventory-service']) {
    await until(async () => (await tasksOf(name)).length === 3 || stopping.signal.aborted, 600_000);
  }
  print(`with its catalogue and all tasks after ${secondsSince(starting)}`);
  const ids = await docker('ps', '--quiet', '--filter', `label=com.docker.stack.namespace=${stackName}`);
  const { stdout } = await docker(
    ...['stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}', ...ids.stdout.trim().split('\n')],
  );
  print(`memory of its ${ids.stdout.trim().split('\n').length} containers: ${mebibytesUsed(stdout)} MiB\n`);
}
