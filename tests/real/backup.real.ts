import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { databaseUri } from '@tradepost/local/infrastructure';
import { serviceNames } from '@tradepost/shared/discovery';
import { createConnection } from '@tradepost/shared/mongo';
import { root } from '../architecture/sourceFiles.ts';
import { startLoad } from './load.ts';
import { type RealShop, settled, startRealShop } from './realShop.ts';
import { startMongod, startRabbit, type TestServer } from './servers.ts';

const run = promisify(execFile);
const settledMs = 60_000;
const newSecret = () => randomBytes(32).toString('hex');

/** What `npm run backup` and `npm run restore` run. */
const command = (name: 'backup' | 'restore', ...args: string[]) =>
  run(process.execPath, [join(root, 'local', 'commands', `${name}.ts`), ...args]);

describe('all databases are backed up and restored elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-backup-'));
  const [password, email] = ['a long enough password', 'keeper@example.com'];
  const secrets = { serviceTokenSecret: newSecret(), tokenKeySecret: newSecret() };
  let [first, second, rabbit]: (TestServer | undefined)[] = [];
  let shop: RealShop | undefined;
  let customer: { accessToken: string; refreshToken: string };
  let orders: string[];

  const start = async (mongod: TestServer | undefined, own: typeof secrets): Promise<RealShop> => {
    shop = await startRealShop({
      mongodbUri: mongod?.url ?? '',
      rabbitmqUrl: rabbit?.url ?? '',
      secrets: own,
      adminPassword: password,
    });
    return shop;
  };
  const ordersOf = async (from: RealShop, token: string): Promise<string[]> => {
    const { status, body } = await from.send('GET', '/api/orders?limit=100', { token });
    assert.equal(status, 200);
    return body.items.map((order: { id: string; status: string }) => `${order.id} ${order.status}`);
  };

  before(async () => {
    [first, second, rabbit] = await Promise.all([startMongod(), startMongod(), startRabbit()]);
    const before = await start(first, secrets);
    const registered = await before.send('POST', '/api/users/register', { body: { email, password, name: 'Ada' } });
    customer = registered.body;
    const load = await startLoad(before, 3, { cancelOneIn: 4 });
    await sleep(6_000);
    await load.finish();
    await settled(before, settledMs);
    orders = await ordersOf(before, await before.adminToken());
    await before.stop();
  });
  after(async () => {
    await shop?.stop();
    await Promise.all([first, second, rabbit].map(server => server?.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  test('the shop on the restored databases has every order, clean books, and its customers', async () => {
    for (const name of serviceNames) {
      const { stdout } = await command(
        'backup',
        '--uri',
        databaseUri(first?.url ?? '', name),
        '--out',
        join(folder, name),
      );
      assert.match(stdout, /Copied: [1-9]\d* collections/);
      await command('restore', '--uri', databaseUri(second?.url ?? '', name), '--from', join(folder, name));
    }
    // The secret between services is another one from now on: all processes were stopped.
    const restored = await start(second, { ...secrets, serviceTokenSecret: newSecret() });
    await settled(restored, settledMs);
    assert.ok(orders.length >= 6, `${orders.length} orders`);
    assert.deepEqual(await ordersOf(restored, await restored.adminToken()), orders);
    assert.equal((await restored.send('GET', '/api/users/me', { token: customer.accessToken })).body.email, email);
    const load = await startLoad(restored, 2);
    await sleep(3_000);
    assert.deepEqual((await load.finish()).broken, []);
    await settled(restored, settledMs);
    await restored.stop();
  });

  test('a second restore into the same database is refused', async () => {
    const again = command(
      'restore',
      '--uri',
      databaseUri(second?.url ?? '', 'order-service'),
      '--from',
      join(folder, 'order-service'),
    );
    await assert.rejects(again, (error: { stderr: string; code: number }) => {
      assert.match(error.stderr, /^--uri: the database tradepost-order-service is not empty/);
      assert.equal(error.code, 1);
      return true;
    });
  });

  test('with another TOKEN_KEY_SECRET and no signing keys everybody signs in anew or refreshes', async () => {
    const connection = createConnection(databaseUri(second?.url ?? '', 'user-service'));
    await connection.asPromise();
    const { deletedCount } = await connection.collection('signing_keys').deleteMany({});
    await connection.close();
    assert.ok(deletedCount > 0);
    const rotated = await start(second, { serviceTokenSecret: newSecret(), tokenKeySecret: newSecret() });
    assert.equal((await rotated.send('GET', '/api/users/me', { token: customer.accessToken })).status, 401);
    const { refreshToken } = customer;
    const refreshed = await rotated.send('POST', '/api/users/refresh', { body: { refreshToken } });
    assert.equal(refreshed.status, 200);
    assert.equal((await rotated.send('GET', '/api/users/me', { token: refreshed.body.accessToken })).status, 200);
  });
});
