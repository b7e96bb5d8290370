import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Account,
  eventually,
  password,
  startUserService,
  type UserServiceTest,
  usersOf,
} from './testing/userService.ts';

const newPassword = 'a different long phrase';
let shop: UserServiceTest;
before(async () => {
  shop = await startUserService();
});
after(() => shop.close());

const changePassword = (token: string, body: object = { currentPassword: password, newPassword }) =>
  shop.send('POST', '/api/users/me/password', { token, body });

const revoked = (account: Account) =>
  shop.messages.filter(message => message.type === 'user.sessions_revoked' && message.subject === account.id);

test('the name can be changed, and nothing else', async () => {
  const { accessToken: token, id } = await shop.register();
  const changed = await shop.send('PATCH', '/api/users/me', { token, body: { name: 'Countess of Lovelace' } });
  assert.deepEqual([changed.status, changed.body.name], [200, 'Countess of Lovelace']);
  assert.equal((await shop.me(token)).body.name, 'Countess of Lovelace');
  assert.deepEqual((await shop.send('PATCH', '/api/users/me', { token, body: {} })).body, changed.body);
  for (const field of ['email', 'role', 'id', '_id', 'passwordHash', 'credentials', 'createdAt', 'deletedAt']) {
    const answer = await shop.send('PATCH', '/api/users/me', { token, body: { [field]: 'admin' } });
    assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request'], field);
  }
  assert.deepEqual((await shop.me(token)).body, { ...changed.body, id, role: 'customer' });
});

test('a new password ends all other sessions at once and keeps the one that asked', async () => {
  const account = await shop.register();
  const others = [(await shop.login(account.email)).body, (await shop.login(account.email)).body];
  assert.equal((await changePassword(account.accessToken)).status, 204);
  for (const other of others) {
    assert.equal((await shop.me(other.accessToken)).status, 401);
    assert.equal((await shop.refresh(other.refreshToken)).status, 401);
  }
  assert.equal((await shop.me(account.accessToken)).status, 200);
  assert.equal((await shop.refresh(account.refreshToken)).status, 200);
  assert.equal((await shop.login(account.email)).status, 401);
  assert.equal((await shop.login(account.email, newPassword)).status, 200);
  await eventually('a message for each session', () => revoked(account).length === others.length);
});

test('a wrong current password or a weak new one changes nothing', async () => {
  const account = await shop.register();
  const wrong = await changePassword(account.accessToken, { currentPassword: 'not this one', newPassword });
  assert.deepEqual([wrong.status, wrong.body.code], [401, 'invalid_credentials']);
  for (const weak of ['short', 'password123']) {
    const answer = await changePassword(account.accessToken, { currentPassword: password, newPassword: weak });
    assert.deepEqual([answer.status, answer.body.errors[0].path], [400, 'newPassword']);
  }
  assert.equal((await shop.login(account.email)).status, 200);
});

test('of two sessions that change the password at once one does, and only its session stays', async () => {
  for (let race = 0; race < 20; race += 1) {
    const account = await shop.register();
    const other = (await shop.login(account.email)).body;
    const sessions = [account, other];
    const answers = await Promise.all(
      sessions.map((session, index) =>
        changePassword(session.accessToken, { currentPassword: password, newPassword: `${newPassword} ${index}` }),
      ),
    );
    assert.deepEqual(answers.map(answer => answer.status).toSorted(), [204, 401]);
    const live = await Promise.all(sessions.map(session => shop.refresh(session.refreshToken)));
    assert.deepEqual(
      live.map(answer => answer.status === 200),
      answers.map(answer => answer.status === 204),
    );
  }
});

test('no sign-in with the old password survives its change', async () => {
  for (let race = 0; race < 20; race += 1) {
    const account = await shop.register();
    const [changed, login] = await Promise.all([changePassword(account.accessToken), shop.login(account.email)]);
    assert.equal(changed.status, 204);
    if (login.status !== 200) continue;
    assert.equal((await shop.refresh(login.body.refreshToken)).status, 401);
    assert.equal((await shop.me(login.body.accessToken)).status, 401);
  }
});

test('a change of password that was interrupted is finished by the next start', async () => {
  const account = await shop.register();
  const other = (await shop.login(account.email)).body;
  const users = usersOf(shop);
  const interrupted = { $set: { cleanup: 'sessions' as const, keptSession: 'none' }, $inc: { credentials: 1 } };
  await users.updateOne({ _id: account.id }, interrupted);
  assert.equal((await shop.refresh(other.refreshToken)).status, 401, 'refused before anything was cleaned');
  const second = await shop.startSecond();
  try {
    await eventually('the end of the session', async () => (await shop.me(account.accessToken)).status === 401);
    assert.equal((await users.findOne({ _id: account.id }))?.cleanup, undefined);
    await eventually('both messages', () => revoked(account).length === 2);
  } finally {
    await second.close();
  }
});

test('sessions are listed newest first with the own one marked, and each can be ended', async () => {
  const account = await shop.register();
  const logins = [];
  for (let count = 0; count < 4; count += 1) logins.push((await shop.login(account.email)).body);
  const list = (query = '') => shop.send('GET', `/api/users/me/sessions${query}`, { token: account.accessToken });
  const first = (await list('?limit=2')).body;
  const rest = (await list(`?limit=100&cursor=${first.nextCursor}`)).body;
  const all = [...first.items, ...rest.items];
  assert.deepEqual([first.items.length, all.length, rest.nextCursor], [2, 5, null]);
  assert.deepEqual(Object.keys(all[0]).toSorted(), [
    'createdAt',
    'current',
    'expiresAt',
    'id',
    'refreshedAt',
    'userAgent',
  ]);
  assert.deepEqual(
    all.map(session => session.current),
    [false, false, false, false, true],
  );
  assert.deepEqual(
    all.map(session => session.id),
    all
      .map(session => session.id)
      .toSorted()
      .toReversed(),
  );

  const end = (id: string, token = account.accessToken) =>
    shop.send('DELETE', `/api/users/me/sessions/${id}`, { token });
  const stranger = await shop.register();
  assert.equal((await end(all[0].id, stranger.accessToken)).status, 404, 'not somebody else’s');
  assert.equal((await end(all[0].id)).status, 204);
  assert.equal((await end(all[0].id)).status, 404);
  assert.equal((await end('unknown')).status, 404);
  assert.equal((await shop.me(logins[3].accessToken)).status, 401);
  assert.equal((await shop.refresh(logins[3].refreshToken)).status, 401);
  assert.equal((await shop.me(logins[2].accessToken)).status, 200);
  assert.equal((await list()).body.items.length, 4);
  await eventually('user.sessions_revoked', () => revoked(account).length === 1);
});

test('deletion erases the person, ends every session and frees the address', async () => {
  const account = await shop.register({ email: 'leaver@example.com', name: 'Leaver Surname' });
  const other = (await shop.login(account.email)).body;
  const address = { name: 'Leaver Surname', line1: '1 Gone Street', city: 'Leeds', postcode: 'LS1 1AA', country: 'GB' };
  await shop.send('POST', '/api/users/me/addresses', { token: account.accessToken, body: address });
  const answer = await shop.send('DELETE', '/api/users/me', { token: account.accessToken });
  assert.deepEqual([answer.status, answer.body], [204, '']);
  for (const session of [account, other]) {
    assert.equal((await shop.me(session.accessToken)).status, 401);
    assert.equal((await shop.refresh(session.refreshToken)).status, 401);
  }
  assert.equal((await shop.login(account.email)).status, 401);
  for (const { name } of await shop.connection.listCollections()) {
    const stored = JSON.stringify(await shop.connection.collection(name).find().toArray());
    for (const trace of ['leaver', 'Surname', 'Gone Street', 'LS1 1AA'])
      assert.ok(!stored.includes(trace), `${trace} in ${name}`);
  }
  const types = () => shop.messages.filter(message => message.subject === account.id).map(message => message.type);
  await eventually('user.deleted', () => types().includes('user.deleted'));
  assert.deepEqual(types().toSorted(), ['user.deleted', 'user.registered', 'user.sessions_revoked']);
  const again = await shop.register({ email: 'leaver@example.com' });
  assert.notEqual(again.id, account.id);
});

test('a deletion that was interrupted after its tombstone is finished by the next start', async () => {
  const account = await shop.register();
  const users = usersOf(shop);
  const tombstone = {
    $set: { deletedAt: new Date(), cleanup: 'erase' as const },
    $unset: { email: 1, name: 1, passwordHash: 1 } as const,
  };
  await users.updateOne({ _id: account.id }, tombstone);
  const sessions = () => shop.connection.collection('sessions').countDocuments({ userId: account.id });
  assert.equal(await sessions(), 1);
  const second = await shop.startSecond();
  await second.close();
  assert.equal(await sessions(), 0);
  assert.equal(await users.countDocuments({ _id: account.id, cleanup: { $exists: true } }), 0);
});

test('nobody signs in to an account that is being deleted', async () => {
  for (let race = 0; race < 20; race += 1) {
    const account = await shop.register();
    const [deleted, login] = await Promise.all([
      shop.send('DELETE', '/api/users/me', { token: account.accessToken }),
      shop.login(account.email),
    ]);
    assert.equal(deleted.status, 204);
    if (login.status !== 200) assert.equal(login.body.code, 'invalid_credentials');
    else assert.equal((await shop.me(login.body.accessToken)).status, 401);
    await eventually('no session left', async () => {
      return (await shop.connection.collection('sessions').countDocuments({ userId: account.id })) === 0;
    });
  }
});
