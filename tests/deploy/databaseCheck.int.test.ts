import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import { root } from '../architecture/sourceFiles.ts';

/** The shell's part of a check, as the container gets it: Compose and Swarm write `$$` for `$`. */
function checkIn(file: string): string {
  const [, script = ''] = /^ *(exec 3<>\/dev\/tcp\/\$+HOSTNAME.*\n.*\n.*\] *)$/m.exec(
    readFileSync(join(root, file), 'utf8'),
  ) ?? [''];
  assert.match(script, /printf/, `${file} has no check of a database`);
  return script.replaceAll('$$', '$').replaceAll(/\n */g, ' ');
}

async function passes(script: string, port: string): Promise<boolean> {
  const child = spawn('bash', ['-c', script.replace('27017', port)], {
    env: { PATH: process.env.PATH, HOSTNAME: '127.0.0.1' },
    stdio: 'ignore',
    timeout: 5_000,
  });
  const [code] = await once(child, 'exit');
  return code === 0;
}

for (const file of ['docker-compose.yml', 'deploy/swarm.yml', 'deploy/kubernetes/overlays/demo/every-database.yaml']) {
  describe(`the check of a database in ${file}`, () => {
    const script = checkIn(file);

    test('is content with a server that answers', async t => {
      const database = await startTestDatabase();
      t.after(() => database.close());
      assert.equal(await passes(script, new URL(database.uri('test')).port), true);
    });

    test('is not content with nobody, nor with somebody who takes connections and says nothing', async t => {
      const silent = createServer().listen(0, '127.0.0.1');
      await once(silent, 'listening');
      t.after(() => silent.close());
      const { port } = silent.address() as { port: number };
      silent.on('connection', socket => setTimeout(() => socket.destroy(), 500));
      assert.equal(await passes(script, String(port)), false);
      assert.equal(await passes(script, '1'), false);
    });
  });
}
