import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { StartError } from '@tradepost/shared/lifecycle';
import {
  DataFolderInUseError,
  keepAdmin,
  keepSecrets,
  openDataFolder,
  readAdmin,
  readSecrets,
  runningFile,
} from './dataFolder.ts';

const home = mkdtempSync(join(tmpdir(), 'tradepost-folder-'));
after(() => rmSync(home, { recursive: true }));

describe('the data folder', () => {
  test('makes secrets once, for its owner only', () => {
    const path = join(home, 'new', 'deep');
    const first = openDataFolder(path);
    const made = [keepSecrets(first), keepAdmin(first)] as const;
    first.release();
    const second = openDataFolder(path);
    assert.deepEqual(keepSecrets(second), made[0]);
    assert.deepEqual(keepAdmin(second), { ...made[1], isNew: false });
    assert.equal(made[1].isNew, true);
    second.release();
    assert.deepEqual(readSecrets(path), made[0]);
    assert.equal(readAdmin(path)?.password, made[1].password);
    for (const name of ['secrets.json', 'admin.json']) assert.equal(statSync(join(path, name)).mode & 0o777, 0o600);
    assert.equal(statSync(path).mode & 0o777, 0o700);
  });

  test('belongs to one process, and is free as soon as that one is killed', async () => {
    const path = join(home, 'shared');
    const holder = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `import { openDataFolder } from ${JSON.stringify(join(import.meta.dirname, 'dataFolder.ts'))};
       openDataFolder(${JSON.stringify(path)}).write('${runningFile}', { pid: process.pid, gatewayUrl: 'http://here', mongodbUri: 'mongodb://there' });
       console.log('held'); setInterval(() => {}, 1000);`,
    ]);
    await once(holder.stdout, 'data');
    assert.throws(
      () => openDataFolder(path),
      (error: unknown) =>
        error instanceof DataFolderInUseError &&
        error.shop?.mongodbUri === 'mongodb://there' &&
        error.message.includes(`process ${holder.pid}, http://here`),
    );
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    openDataFolder(path).release();
  });

  test('that cannot be written is one line', () => {
    writeFileSync(join(home, 'a file'), '');
    assert.throws(() => openDataFolder(join(home, 'a file', 'data')), {
      name: 'StartError',
      message: /^DATA_DIR: .*a file\/data cannot be written \(ENOTDIR\)$/,
    });
  });

  test('names a file that is damaged, and leaves it as it is', () => {
    const path = join(home, 'damaged');
    const folder = openDataFolder(path);
    writeFileSync(join(path, 'secrets.json'), '{"serviceTokenSecret":');
    assert.throws(
      () => keepSecrets(folder),
      (error: unknown) => error instanceof StartError && /secrets\.json is damaged/.test(error.message),
    );
    assert.equal(readFileSync(join(path, 'secrets.json'), 'utf8'), '{"serviceTokenSecret":');
    folder.release();
  });
});
