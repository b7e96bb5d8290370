import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../architecture/sourceFiles.ts';
import { temporaryFolder } from './childShop.ts';
import { startTestShop } from './testShop.ts';

/** Runs a command of the containers against a shop. */
function run(name: string, environment: Record<string, string>) {
  return new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
    const options = { cwd: root, env: { PATH: process.env.PATH, ...environment } };
    execFile(process.execPath, [join(root, 'local', 'commands', `${name}.ts`)], options, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('the catalogue is filled once, through the gateway, and load then orders from it', async () => {
  const shop = await startTestShop({ seedDemo: false });
  const environment = {
    GATEWAY_URL: shop.url,
    ADMIN_EMAIL: shop.admin.email,
    ADMIN_PASSWORD: shop.admin.password,
    DATA_DIR: temporaryFolder(),
  };
  const products = async () => (await shop.send('GET', '/api/products?limit=100')).body.items;
  assert.deepEqual(await run('seed', { ...environment, SEED_DEMO: 'false' }), { code: 0, stdout: '', stderr: '' });
  assert.deepEqual(await products(), []);
  const { stdout } = await run('seed', environment);
  assert.match(stdout, /^\d+ products are in the catalogue\n$/);
  assert.equal(`${(await products()).length} products are in the catalogue\n`, stdout);
  assert.equal((await run('seed', environment)).stdout, 'nothing to do\n');

  const load = await run('load', {
    ...environment,
    LOAD_SECONDS: '3',
    LOAD_ORDERS_PER_SECOND: '5',
    LOAD_CUSTOMERS: '2',
  });
  assert.deepEqual([load.code, load.stderr], [0, '']);
  const tally = JSON.parse(load.stdout.trim().split('\n').at(-1) ?? '');
  assert.ok(tally.orders.confirmed > 0, load.stdout);
  assert.equal(tally.running, 0);
  const token = await shop.adminToken();
  const audit = await shop.send('GET', '/api/operations/audit?patienceMs=0', { token });
  assert.equal(audit.body.clean, true);
});

test('load says in one line what is wrong with its settings', async () => {
  const { code, stderr } = await run('load', { LOAD_ORDERS_PER_SECOND: 'many', ADMIN_EMAIL: 'a', ADMIN_PASSWORD: 'b' });
  assert.deepEqual([code, stderr], [1, 'LOAD_ORDERS_PER_SECOND: must be a number\n']);
});
