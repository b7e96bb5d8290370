import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import { processNames } from '@tradepost/local/processes/settings';
import { root } from '../architecture/sourceFiles.ts';

/** The settings of a process as its example has them, but every server is missing. */
const lonely = (name: string) => ({
  ...(parseEnv(readFileSync(join(root, name, '.env.example'), 'utf8')) as Record<string, string>),
  HOST: '127.0.0.1',
  PORT: '0',
  METRICS_PORT: '0',
  SERVICE_TOKEN_SECRET: randomBytes(32).toString('hex'),
  TOKEN_KEY_SECRET: randomBytes(32).toString('hex'),
  MONGODB_URI: 'mongodb://127.0.0.1:9/nothing',
  RABBITMQ_URL: 'amqp://127.0.0.1:9',
});

function start(name: string, environment: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, [join(root, name, 'src', 'index.ts')], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ...environment,
    },
  });
  after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', chunk => {
      output[stream] += chunk;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return { child, output, ended };
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined, what: () => unknown): Promise<T> {
  for (const end = performance.now() + 30_000; ; await sleep(20)) {
    const seen = await look();
    if (seen !== undefined) return seen;
    assert.ok(performance.now() < end, `did not happen within 30 s: ${JSON.stringify(what())}`);
  }
}

describe('a process without its servers', () => {
  for (const name of processNames) {
    test(`${name} listens, lives, is not ready, and ends when it is told to`, async () => {
      const { child, output, ended } = start(name, lonely(name));
      const port = await until(
        () => /"port":(\d+).*"msg":"listening"/.exec(output.stdout)?.[1],
        () => output,
      );
      const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
      assert.equal(await status('/health/live'), 200);
      assert.equal(await status('/health/ready'), 503);
      // Several attempts to reach them later.
      await until(
        () => (output.stdout.match(/"level":"warn"/g) ?? []).length >= 4 || undefined,
        () => output,
      );
      assert.equal(child.exitCode, null);
      child.kill('SIGTERM');
      assert.equal(await ended, 0, output.stderr);
      assert.match(output.stdout, /"msg":"stopped"/);
    });

    test(`${name} says what is missing of its settings, a line for each, and ends`, async () => {
      const { output, ended } = start(name, { LOG_LEVEL: 'loud' });
      assert.equal(await ended, 1);
      assert.match(output.stderr, /^LOG_LEVEL: /m);
      assert.match(output.stderr, /^SERVICE_TOKEN_SECRET: is not set$/m);
      assert.match(output.stderr, /^RABBITMQ_URL: is not set$/m);
      assert.doesNotMatch(output.stderr, /at .*\.ts:/);
    });
  }
});
