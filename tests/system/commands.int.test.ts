import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { send } from '../api/send.ts';
import { root } from '../architecture/sourceFiles.ts';
import { startChildShop, temporaryFolder } from './childShop.ts';

const run = promisify(execFile);
const command = (name: string, folder: string) =>
  run(process.execPath, [join(root, 'local', 'commands', `${name}.ts`)], { env: { DATA_DIR: folder }, cwd: root });

test('commands reach the running shop, and open the folder when nothing runs', async () => {
  const folder = temporaryFolder();
  await assert.rejects(command('rotateKeys', join(folder, 'none')), (error: { stderr: string; code: number }) => {
    assert.equal(error.code, 1);
    assert.match(error.stderr, /^DATA_DIR: there is no .*none; npm start makes one\n$/);
    return true;
  });
  const shop = startChildShop({ DATA_DIR: folder, SEED_DEMO: 'false' });
  const url = await shop.ready();
  const keys = async () =>
    (await send(url, 'GET', '/.well-known/jwks.json')).body.keys.map((one: { kid: string }) => one.kid);
  const before = await keys();
  const made = /^Key (\S+) is published and signs from /.exec((await command('rotateKeys', folder)).stdout)?.[1];
  assert.ok(made && !before.includes(made));
  shop.process.kill('SIGTERM');
  assert.equal(await shop.ended, 0);

  assert.match((await command('rotateKeys', folder)).stdout, new RegExp(`^Nothing changed: key ${made} is waiting`));
});
