import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { demoCatalogue } from '@tradepost/local/demoCatalogue';
import { send } from '../api/send.ts';
import { startChildShop, temporaryFolder } from './childShop.ts';

/** The shop must end by itself with code 1 and say why in one line. */
async function assertRefuses(environment: Record<string, string>, message: RegExp, args: string[] = []): Promise<void> {
  const shop = startChildShop(environment, args);
  assert.equal(await shop.ended, 1);
  assert.equal(shop.output.stdout, '');
  assert.match(shop.output.stderr, message);
  assert.equal(shop.output.stderr.trim().split('\n').length, 1, shop.output.stderr);
}

describe('npm start refuses in one line', () => {
  test('a setting that does not fit', () =>
    assertRefuses(
      { DATA_DIR: temporaryFolder(), RATE_LIMIT_PER_MINUTE: 'many' },
      /^RATE_LIMIT_PER_MINUTE: must be a whole number/,
    ));

  test('a setting of a service that does not fit', () =>
    assertRefuses({ DATA_DIR: temporaryFolder(), ORDER_WAIT_MS: '-1' }, /^ORDER_WAIT_MS: must be a whole number/));

  test('an argument that it does not know', () => assertRefuses({}, /^--help is not known/, ['--help']));

  test('a data folder that cannot be written', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    return assertRefuses({ DATA_DIR: join(file, 'data') }, /^DATA_DIR: .* cannot be written \(ENOTDIR\)$/m);
  });

  test('a damaged database', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'store.db'), 'this is not a database, whatever its name says'.repeat(100));
    return assertRefuses({ DATA_DIR: folder }, /store\.db/);
  });

  test('a MongoDB that is not there', () =>
    assertRefuses(
      { DATA_DIR: temporaryFolder(), MONGODB_URI: 'mongodb://shop:secret@127.0.0.1:9/' },
      /^MONGODB_URI: no MongoDB answers at mongodb:\/\/127\.0\.0\.1:9\/$/m,
    ));

  test('a Consul that is not there', () =>
    assertRefuses(
      { DATA_DIR: temporaryFolder(), CONSUL_URL: 'http://127.0.0.1:9' },
      /^CONSUL_URL: no Consul answers at http:\/\/127\.0\.0\.1:9$/m,
    ));

  test('a port in use, whichever of the eight it is', async () => {
    const other = createServer();
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      for (const [offset, name] of [
        [0, 'gateway'],
        [4, 'order-service'],
      ] as const) {
        await assertRefuses(
          { DATA_DIR: temporaryFolder(), GATEWAY_PORT: String(port - offset) },
          new RegExp(`^Port ${port} \\(${name}\\) is in use: stop what runs there or set GATEWAY_PORT$`, 'm'),
        );
      }
    } finally {
      other.close();
    }
  });
});

describe('npm start', () => {
  test('seeds once, shows the password once, keeps its data, and stops cleanly', async () => {
    const folder = temporaryFolder();
    const first = startChildShop({ DATA_DIR: folder });
    const url = await first.ready();
    const [, email, password] =
      /administrator +(\S+), password (\S+) \(shown this once/.exec(first.output.stdout) ?? [];
    const login = await send(url, 'POST', '/api/users/login', { body: { email, password } });
    assert.equal(login.status, 200);
    assert.equal(login.body.user.role, 'admin');
    const token = login.body.accessToken;
    const listed = await send(url, 'GET', '/api/products?limit=100');
    assert.equal(listed.body.items.length, demoCatalogue.length);
    const archived = listed.body.items[0].id;
    assert.equal((await send(url, 'DELETE', `/api/products/${archived}`, { token })).status, 204);

    await assertRefuses(
      { DATA_DIR: folder },
      new RegExp(`is in use by another shop \\(process ${first.process.pid}, ${url}\\)`),
    );

    first.process.kill('SIGTERM');
    assert.equal(await first.ended, 0);
    assert.equal(first.output.stderr, '');
    assert.equal(existsSync(join(folder, 'running.json')), false);
    const readable = readdirSync(folder).filter(name =>
      readFileSync(join(folder, name), 'latin1').includes(String(password)),
    );
    assert.deepEqual(readable, ['admin.json']);
    assert.equal(statSync(join(folder, 'admin.json')).mode & 0o777, 0o600);

    const second = startChildShop({ DATA_DIR: folder });
    const again = await second.ready();
    assert.ok(!second.output.stdout.includes(String(password)));
    assert.match(second.output.stdout, /password in .*admin\.json/);
    const kept = await send(again, 'GET', '/api/products?limit=100');
    assert.equal(kept.body.items.length, demoCatalogue.length - 1, 'what was archived does not come back');
    second.process.kill('SIGINT');
    assert.equal(await second.ended, 0);
  });

  test('runs in memory, without demo, with the administrator that it is told', async () => {
    const admin = { ADMIN_EMAIL: 'root@shop.example', ADMIN_PASSWORD: 'a password of ours' };
    const shop = startChildShop({ ...admin, SEED_DEMO: 'false' }, ['--memory']);
    const url = await shop.ready();
    assert.deepEqual((await send(url, 'GET', '/api/products')).body.items, []);
    const login = await send(url, 'POST', '/api/users/login', {
      body: { email: admin.ADMIN_EMAIL, password: admin.ADMIN_PASSWORD },
    });
    assert.equal(login.body.user.role, 'admin');
    assert.ok(!shop.output.stdout.includes(admin.ADMIN_PASSWORD));
    shop.process.kill('SIGTERM');
    assert.equal(await shop.ended, 0);
  });

  test('limits requests as it is told, and says so', async () => {
    const shop = startChildShop({ AUTH_RATE_LIMIT: '3', SEED_DEMO: 'false' }, ['--memory']);
    const url = await shop.ready();
    const tries = [1, 2, 3, 4].map(() =>
      send(url, 'POST', '/api/users/login', { body: { email: 'nobody@example.com', password: 'not the password' } }),
    );
    const answers = (await Promise.all(tries)).sort((one, other) => one.status - other.status);
    assert.deepEqual(
      answers.map(answer => answer.status),
      [401, 401, 401, 429],
    );
    const limited = answers.at(-1);
    assert.equal(limited?.body.code, 'rate_limited');
    assert.ok(Number(limited?.headers.get('retry-after')) > 0);
    assert.ok(limited?.headers.get('ratelimit'));
    assert.ok(limited?.headers.get('ratelimit-policy'));
  });
});
