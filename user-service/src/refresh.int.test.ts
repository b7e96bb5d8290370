import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Account, eventually, startUserService, type UserServiceTest } from './testing/userService.ts';

const day = 24 * 60 * 60_000;
let shop: UserServiceTest;
before(async () => {
  shop = await startUserService();
});
after(() => shop.close());

const codeOf = async (refreshToken: string) => {
  const { status, body } = await shop.refresh(refreshToken);
  return status === 200 ? 'ok' : `${status} ${body.code}`;
};

const revokedSessions = (account: Account) =>
  shop.messages.filter(message => message.type === 'user.sessions_revoked' && message.subject === account.id);

test('each refresh spends its token and gives the next', async () => {
  let { refreshToken, ...account } = await shop.register();
  for (let count = 0; count < 5; count += 1) {
    const { status, body } = await shop.refresh(refreshToken);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).toSorted(), ['accessToken', 'expiresIn', 'refreshToken']);
    assert.notEqual(body.refreshToken, refreshToken);
    assert.equal((await shop.me(body.accessToken)).body.id, account.id);
    refreshToken = body.refreshToken;
  }
});

test('a spent token, however old, ends the whole session and says so to everyone', async () => {
  const account = await shop.register();
  const second = (await shop.refresh(account.refreshToken)).body;
  const third = (await shop.refresh(second.refreshToken)).body;
  const answer = await shop.refresh(account.refreshToken);
  assert.deepEqual([answer.status, answer.body.code], [401, 'token_reused']);
  assert.equal(await codeOf(third.refreshToken), '401 unauthenticated');
  assert.equal(await codeOf(second.refreshToken), '401 token_reused');
  assert.equal((await shop.me(third.accessToken)).status, 401, 'its access tokens are refused at once');
  await eventually('user.sessions_revoked', () => revokedSessions(account).length > 0);
  assert.equal(revokedSessions(account).length, 1);
});

test('reuse ends only that session', async () => {
  const account = await shop.register();
  const other = (await shop.login(account.email)).body;
  await shop.refresh(account.refreshToken);
  assert.equal(await codeOf(account.refreshToken), '401 token_reused');
  assert.equal(await codeOf(other.refreshToken), 'ok');
  assert.equal((await shop.me(other.accessToken)).status, 200);
});

test('100 races of parallel refreshes never leave two live families, nor one', async () => {
  for (let race = 0; race < 100; race += 1) {
    const account = await shop.register();
    const answers = await Promise.all(Array.from({ length: 2 + (race % 3) }, () => shop.refresh(account.refreshToken)));
    const winners = answers.filter(answer => answer.status === 200);
    assert.ok(winners.length <= 1, `${winners.length} refreshes won`);
    assert.ok(answers.filter(answer => answer.status !== 200).every(answer => answer.body.code === 'token_reused'));
    for (const winner of winners) assert.equal(await codeOf(winner.body.refreshToken), '401 unauthenticated');
  }
});

test('what was never a token, or is cut or changed, is refused and ends nothing', async () => {
  const account = await shop.register();
  const stranger = await shop.register();
  for (const bad of ['x', 'x'.repeat(86), account.refreshToken.slice(1), stranger.refreshToken.toLowerCase()]) {
    assert.equal(await codeOf(bad), '401 unauthenticated');
  }
  assert.equal(await codeOf(account.refreshToken), 'ok');
});

test('a stranger who knows neither half cannot end a session', async () => {
  const account = await shop.register();
  const guess = 'A'.repeat(43) + account.refreshToken.slice(43);
  assert.equal(await codeOf(guess), '401 unauthenticated');
  assert.equal(await codeOf(account.refreshToken), 'ok');
});

test('logging out ends the session everywhere, and repeating it is harmless', async () => {
  const account = await shop.register();
  const logout = (refreshToken: string) => shop.send('POST', '/api/users/logout', { body: { refreshToken } });
  for (let count = 0; count < 2; count += 1) {
    const answer = await logout(account.refreshToken);
    assert.deepEqual([answer.status, answer.body], [204, '']);
  }
  assert.equal(await codeOf(account.refreshToken), '401 unauthenticated');
  assert.equal((await shop.me(account.accessToken)).status, 401);
  assert.equal((await logout('never a token')).status, 204);
  await eventually('user.sessions_revoked', () => revokedSessions(account).length > 0);
  assert.equal(revokedSessions(account).length, 1);
});

test('a token that is not used for 30 days is over, one that is used lives on', async () => {
  const own = await startUserService();
  try {
    const [used, unused] = [await own.register(), await own.register()];
    own.advance(29 * day);
    const next = (await own.refresh(used.refreshToken)).body;
    own.advance(2 * day);
    assert.equal((await own.refresh(unused.refreshToken)).status, 401);
    assert.equal((await own.refresh(next.refreshToken)).status, 200);
  } finally {
    await own.close();
  }
});

test('with a leeway a client that lost the answer gets the same token once more', async () => {
  const lenient = await startUserService({ REFRESH_REUSE_LEEWAY_MS: 10_000 });
  try {
    const account = await lenient.register();
    const answers = await Promise.all(Array.from({ length: 10 }, () => lenient.refresh(account.refreshToken)));
    assert.deepEqual([...new Set(answers.map(answer => answer.status))], [200]);
    assert.equal(new Set(answers.map(answer => answer.body.refreshToken)).size, 1, 'one live token');
    const next = answers[0]?.body.refreshToken;
    lenient.advance(11_000);
    assert.equal((await lenient.refresh(account.refreshToken)).body.code, 'token_reused');
    assert.equal((await lenient.refresh(next)).status, 401);

    const other = await lenient.register();
    const second = (await lenient.refresh(other.refreshToken)).body;
    await lenient.refresh(second.refreshToken);
    assert.equal((await lenient.refresh(other.refreshToken)).body.code, 'token_reused', 'only the last one spent');
  } finally {
    await lenient.close();
  }
});
