/**
 * Runs on real servers what else runs on embedded ones: the suites of the bus and of services, and the shop as processes
 * while its servers and its processes fail. The servers are started here, on free ports, from the programs that
 * MONGOD_BIN, CONSUL_BIN and RABBITMQ_SERVER_BIN name; with REDIS_SERVER_BIN also the limits that gateways share.
 *
 *   npm run test:real -- [PATTERN...]
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../architecture/sourceFiles.ts';
import { programs, redisProgram, startMongod, startRabbit } from './servers.ts';

const isMissing = (name: string): boolean => {
  try {
    accessSync(process.env[name] ?? '', constants.X_OK);
    return false;
  } catch {
    return true;
  }
};
const missing = programs.filter(isMissing);

if (missing.length > 0) {
  process.stdout.write(`No program at ${missing.join(', ')}: the suite on real servers did not run\n`);
  process.stdout.write('0 passed, 0 failed\n');
} else {
  const patterns = process.argv.slice(2);
  if (isMissing(redisProgram)) {
    delete process.env[redisProgram];
    process.stdout.write(`No program at ${redisProgram}: limits that gateways share are left out\n`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-figures-'));
  const file = join(folder, 'figures.ndjson');
  // One file after the other: what happens under load must not depend on a second shop's load.
  const processes = () => run(patterns.length > 0 ? patterns : ['tests/real/*.real.ts'], '1', { TEST_FIGURES: file });
  const results = patterns.length > 0 ? [await processes()] : [await runParts(), await processes()];
  printFigures(file);
  rmSync(folder, { recursive: true, force: true });
  const sum = (key: 'passed' | 'failed') => results.reduce((total, result) => total + result[key], 0);
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`);
  process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0;
}

function printFigures(file: string): void {
  if (!existsSync(file)) return;
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const all = lines.map(line => JSON.parse(line) as { orders: number; settledMs?: number });
  const orders = all.reduce((total, one) => total + one.orders, 0);
  const longestMs = Math.max(...all.map(one => one.settledMs ?? 0));
  process.stdout.write(`\n${lines.join('\n')}\n${orders} orders, longest recovery ${longestMs} ms\n`);
}

/** The suites that take a server by its address. */
async function runParts() {
  const servers = await Promise.all([startMongod(), startRabbit()]);
  const [mongod, rabbit] = servers;
  try {
    return await run(
      ['shared/messaging/*.int.test.ts', '{inventory,order,payment}-service/src/**/*.int.test.ts'],
      String(availableParallelism()),
      { TEST_MONGODB_URI: mongod.url, RABBITMQ_URL: rabbit.url },
    );
  } finally {
    await Promise.all(servers.map(server => server.close()));
  }
}

interface Result {
  passed: number;
  failed: number;
}

/** Runs test files as all others are run; a run without its closing line counts as failed. */
function run(patterns: string[], concurrency: string, environment: Record<string, string>): Promise<Result> {
  const child = spawn(process.execPath, [join(root, 'tests', 'run.ts'), '--concurrency', concurrency, ...patterns], {
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
