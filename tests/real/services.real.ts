import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../architecture/sourceFiles.ts';
import { until } from './realShop.ts';
import { startMongod, startRabbit, type TestServer } from './servers.ts';

const startLimitMs = 60_000;

describe('npm run services', () => {
  let servers: { mongod: TestServer; rabbit: TestServer };
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-'));
  before(async () => {
    const [mongod, rabbit] = await Promise.all([startMongod(), startRabbit()]);
    servers = { mongod, rabbit };
  });
  after(async () => {
    await Promise.all(Object.values(servers ?? {}).map(server => server.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  const addresses = () => ({ MONGODB_URI: servers.mongod.url, RABBITMQ_URL: servers.rabbit.url, DATA_DIR: folder });

  function run(script: string, args: string[], environment: Record<string, string>) {
    const child: ChildProcess = spawn(process.execPath, [join(root, 'local', script), ...args], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, GATEWAY_PORT: '0', ...environment },
    });
    after(() => child.kill('SIGKILL'));
    const output = { text: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', chunk => {
        output.text += chunk;
      });
    }
    return { child, output, ended: once(child, 'close').then(([code]) => code as number | null) };
  }

  test('runs all services, two of some; an order goes through; the books can be audited; Ctrl-C ends all of them', async () => {
    const scale = 'order-service=2,inventory-service=2';
    const { child, output, ended } = run('processes/start.ts', ['--scale', scale], addresses());
    await until(
      () => output.text.includes('Ctrl-C stops the shop'),
      startLimitMs,
      () => output.text.slice(-3_000),
    );
    for (const name of ['order-service-1', 'order-service-2', 'inventory-service-2', 'gateway']) {
      assert.match(output.text, new RegExp(`^${name} +\\| \\d\\d:\\d\\d:\\d\\d INFO +listening`, 'm'));
    }
    const [, walk] = /\n(SHOP=[\s\S]*)\nCtrl-C/.exec(output.text) ?? [];
    const { stdout } = await promisify(execFile)('sh', ['-c', walk ?? 'false']);
    const [before, order, later] = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.deepEqual([order.status, later.available], ['confirmed', before.available - 2]);

    const audit = run('commands/audit.ts', [], addresses());
    assert.equal(await audit.ended, 0, audit.output.text);
    assert.match(audit.output.text, /The books are clean/);

    child.kill('SIGINT');
    assert.equal(await ended, 0);
    assert.equal(output.text.match(/INFO +stopped$/gm)?.length, 8, 'each of the eight processes ended by itself');
    assert.equal(existsSync(join(folder, 'running.json')), false);
    // Who is there before user-service, or before its database, says so once.
    const early = /revocations cannot be loaded yet|before initial connection|path=\/internal\/revocations status=503/;
    const warnings = output.text.split('\n').filter(line => / (WARN|ERROR) /.test(line));
    assert.deepEqual(
      warnings.filter(line => !early.test(line)),
      [],
    );
  });

  test('says which servers do not answer, and where it looked', async () => {
    const missing = {
      ...{ DATA_DIR: folder, MONGODB_URI: 'mongodb://shop:secret@127.0.0.1:9', RABBITMQ_URL: 'amqp://127.0.0.1:9' },
      CONSUL_URL: 'http://127.0.0.1:9',
    };
    const { output, ended } = run('processes/start.ts', [], missing);
    assert.equal(await ended, 1);
    const lines = output.text.trim().split('\n');
    assert.equal(lines.length, 3, output.text);
    assert.match(lines[0] ?? '', /^MONGODB_URI: no MongoDB answers at mongodb:\/\/127\.0\.0\.1:9 \(/);
    assert.match(lines[1] ?? '', /^RABBITMQ_URL: no RabbitMQ answers at amqp:\/\/127\.0\.0\.1:9 \(/);
    assert.match(lines[2] ?? '', /^CONSUL_URL: no Consul answers at http:\/\/127\.0\.0\.1:9 \(/);
  });
});
