import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ConfigError } from '@tradepost/shared/config';
import { createApp } from './app.ts';
import { settings } from './config.ts';
import { eventually, password, startUserService, tokenKeySecret, type UserServiceTest } from './testing/userService.ts';

const adminPassword = 'an administrator’s phrase';
let shop: UserServiceTest;
let second: { url: string; close(): Promise<void> };
before(async () => {
  shop = await startUserService({ ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: adminPassword });
  second = await shop.startSecond();
});
after(async () => {
  await second.close();
  await shop.close();
});

const meThere = async (token: string) =>
  (await fetch(`${second.url}/api/users/me`, { headers: { Authorization: `Bearer ${token}` } })).status;

test('what ends at one instance is refused at the other within seconds', async () => {
  const account = await shop.register();
  const admin = (await shop.login('admin@example.com', adminPassword)).body;
  const ways: [string, (session: { accessToken: string; refreshToken: string }) => Promise<{ status: number }>][] = [
    ['logout', session => shop.send('POST', '/api/users/logout', { body: { refreshToken: session.refreshToken } })],
    [
      'reuse',
      async session => {
        await shop.refresh(session.refreshToken);
        return shop.refresh(session.refreshToken);
      },
    ],
    [
      'change of role',
      () => shop.send('PATCH', `/api/users/${account.id}/role`, { token: admin.accessToken, body: { role: 'admin' } }),
    ],
  ];
  for (const [way, end] of ways) {
    const session = (await shop.login(account.email)).body;
    assert.equal(await meThere(session.accessToken), 200, way);
    await end(session);
    await eventually(way, async () => (await meThere(session.accessToken)) === 401);
  }
  const [mine, other] = [(await shop.login(account.email)).body, (await shop.login(account.email)).body];
  assert.equal(await meThere(other.accessToken), 200);
  const body = { currentPassword: password, newPassword: 'a different long phrase' };
  await shop.send('POST', '/api/users/me/password', { token: mine.accessToken, body });
  await eventually('change of password', async () => (await meThere(other.accessToken)) === 401);
  assert.equal(await meThere(mine.accessToken), 200);
  await shop.send('DELETE', '/api/users/me', { token: mine.accessToken });
  await eventually('deletion', async () => (await meThere(mine.accessToken)) === 401);
});

test('an instance that starts later knows what ended before', async () => {
  const account = await shop.register();
  await shop.send('POST', '/api/users/logout', { body: { refreshToken: account.refreshToken } });
  const third = await shop.startSecond();
  try {
    const answer = await fetch(`${third.url}/api/users/me`, {
      headers: { Authorization: `Bearer ${account.accessToken}` },
    });
    assert.equal(answer.status, 401);
  } finally {
    await third.close();
  }
});

test('several instances make one first administrator, and later starts leave it alone', async () => {
  const own = await startUserService();
  try {
    const admin = { ADMIN_EMAIL: 'boss@example.com', ADMIN_PASSWORD: adminPassword };
    const started = await Promise.all(Array.from({ length: 4 }, () => own.startSecond(admin)));
    const count = () => own.connection.collection('users').countDocuments({ email: 'boss@example.com', role: 'admin' });
    assert.equal(await count(), 1);
    started.push(await own.startSecond({ ...admin, ADMIN_PASSWORD: 'another phrase for the boss' }));
    assert.equal((await own.login('boss@example.com', adminPassword)).body.user.role, 'admin');
    assert.equal((await own.login('boss@example.com', 'another phrase for the boss')).status, 401);
    for (const instance of started) await instance.close();
  } finally {
    await own.close();
  }
});

test('an administrator half set is a mistake that is named', () => {
  const config = {
    TOKEN_KEY_SECRET: tokenKeySecret,
    REFRESH_REUSE_LEEWAY_MS: 0,
    PASSWORD_HASH_MEMORY_KIB: 64,
    PASSWORD_HASH_PASSES: 1,
    ADMIN_EMAIL: 'admin@example.com',
  };
  assert.throws(
    () => createApp(shop.dependencies, config),
    error => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /ADMIN_PASSWORD/);
      return true;
    },
  );
  assert.deepEqual(settings.PASSWORD_HASH_MEMORY_KIB.parse(undefined), 19_456);
  assert.deepEqual(settings.PASSWORD_HASH_PASSES.parse(undefined), 2);
  assert.deepEqual(settings.REFRESH_REUSE_LEEWAY_MS.parse(undefined), 0);
});
