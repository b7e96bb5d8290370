import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { eventually, password, startUserService, type UserServiceTest } from './testing/userService.ts';

let shop: UserServiceTest;
before(async () => {
  shop = await startUserService();
});
after(() => shop.close());

const register = (body: unknown) => shop.send('POST', '/api/users/register', { body });

test('registering answers the user and tokens of a first session', async () => {
  const answer = await register({ email: 'grace@example.com', password, name: ' Grace Hopper ' });
  assert.equal(answer.status, 201);
  const { user, accessToken, refreshToken, expiresIn } = answer.body;
  assert.deepEqual(Object.keys(answer.body).toSorted(), ['accessToken', 'expiresIn', 'refreshToken', 'user']);
  assert.deepEqual(user, {
    id: user.id,
    email: 'grace@example.com',
    name: 'Grace Hopper',
    role: 'customer',
    createdAt: user.createdAt,
  });
  assert.match(user.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(expiresIn, 900);
  assert.equal(answer.headers.get('location'), `/api/users/${user.id}`);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.deepEqual((await shop.me(accessToken)).body, user);
  assert.equal((await shop.refresh(refreshToken)).status, 200);
  await eventually('user.registered', () =>
    shop.messages.some(message => message.type === 'user.registered' && message.subject === user.id),
  );
});

test('an access token says what API.md promises and nothing personal', async () => {
  const account = await shop.register();
  const { header, payload } = jwt.decode(account.accessToken, { complete: true }) as jwt.Jwt;
  assert.deepEqual({ ...header, kid: typeof header.kid }, { alg: 'ES256', typ: 'at+jwt', kid: 'string' });
  const claims = payload as jwt.JwtPayload;
  assert.deepEqual(Object.keys(claims).toSorted(), ['aud', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub']);
  assert.equal(claims.sub, account.id);
  assert.equal(claims.role, 'customer');
  assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 900);
});

test('the database holds neither password nor refresh token', async () => {
  const account = await shop.register();
  const stored = JSON.stringify([
    await shop.connection.collection('users').find().toArray(),
    await shop.connection.collection('sessions').find().toArray(),
  ]);
  assert.ok(stored.includes('$argon2id$'));
  assert.ok(!stored.includes(password));
  assert.ok(!stored.includes(account.refreshToken.slice(0, 43)));
  assert.ok(!stored.includes(account.refreshToken.slice(43)));
});

test('one address is one account, however it is written', async () => {
  await shop.register({ email: 'Zo\u00eb@Example.com' });
  for (const email of [' zo\u00eb@example.com', 'ZO\u00cb@EXAMPLE.COM', 'zoe\u0308@example.com']) {
    const answer = await register({ email, password, name: 'Zoë' });
    assert.deepEqual([answer.status, answer.body.code], [409, 'email_taken'], email);
    assert.equal((await shop.login(email)).body.user.email, 'zo\u00eb@example.com');
  }
});

test('of twenty who register one address at once one gets it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => register({ email: 'race@example.com', password, name: 'Racer' })),
  );
  assert.equal(answers.filter(answer => answer.status === 201).length, 1);
  assert.equal(answers.filter(answer => answer.body.code === 'email_taken').length, 19);
  assert.equal(await shop.connection.collection('users').countDocuments({ email: 'race@example.com' }), 1);
});

test('passwords that are short, long or common are refused by name', async () => {
  const cases = ['ninechars', 'x'.repeat(129), 'password123', 'QwertyUiop', 'ten chars \ud800'];
  for (const [index, secret] of cases.entries()) {
    const answer = await register({ email: `weak${index}@example.com`, password: secret, name: 'Weak' });
    assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request'], secret);
    assert.equal(answer.body.errors[0].path, 'password');
    assert.ok(!JSON.stringify(answer.body).includes(secret), 'the answer repeats the password');
  }
});

test('a password of 128 characters counts to its last one', async () => {
  const long = 'p'.repeat(127);
  await register({ email: 'long@example.com', password: `${long}1`, name: 'Long' });
  assert.equal((await shop.login('long@example.com', `${long}2`)).status, 401);
  assert.equal((await shop.login('long@example.com', `${long}1`)).status, 200);
});

test('a known and an unknown address get the same answer for the same work', async () => {
  const { email } = await shop.register();
  const hashes = async () =>
    (await shop.registry.getSingleMetricAsString('password_hash_duration_seconds')).match(/_count\S* (\d+)/)?.[1];
  const seen = [];
  for (const address of [email, 'nobody@example.com']) {
    const before = Number(await hashes());
    const answer = await shop.login(address, 'wrong wrong wrong');
    const { requestId, traceId, ...body } = answer.body;
    assert.ok(requestId && traceId);
    const headers = [...answer.headers.keys()].toSorted();
    seen.push({ status: answer.status, body, headers, hashes: Number(await hashes()) - before });
  }
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual([seen[0]?.status, seen[0]?.body.code, seen[0]?.hashes], [401, 'invalid_credentials', 1]);
});

test('logging in opens a session of its own', async () => {
  const account = await shop.register();
  const { status, body } = await shop.login(account.email);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).toSorted(), ['accessToken', 'expiresIn', 'refreshToken', 'user']);
  const sid = (token: string) => (jwt.decode(token) as jwt.JwtPayload).sid;
  assert.notEqual(sid(body.accessToken), sid(account.accessToken));
  assert.equal((await shop.refresh(account.refreshToken)).status, 200);
  assert.equal((await shop.refresh(body.refreshToken)).status, 200);
});

test('an expired access token is refused', async () => {
  const account = await shop.register();
  const past = jwt.decode(account.accessToken) as jwt.JwtPayload;
  shop.advance(-20 * 60_000);
  try {
    const { body } = await shop.login(account.email);
    assert.ok(((jwt.decode(body.accessToken) as jwt.JwtPayload).exp ?? 0) < (past.exp ?? 0));
    const answer = await shop.me(body.accessToken);
    assert.deepEqual([answer.status, answer.body.code], [401, 'unauthenticated']);
    assert.ok(answer.headers.get('www-authenticate'));
  } finally {
    shop.advance(20 * 60_000);
  }
});

test('a hash of an earlier cost is renewed at the next sign-in', async () => {
  const account = await shop.register();
  const users = shop.connection.collection('users');
  const hashOf = async () => (await users.findOne({ email: account.email }))?.passwordHash as string;
  const second = await shop.startSecond({ PASSWORD_HASH_PASSES: 2 });
  try {
    const response = await fetch(`${second.url}/api/users/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: account.email, password }),
    });
    assert.equal(response.status, 200);
    assert.match(await hashOf(), /t=2/);
    assert.equal((await shop.login(account.email)).status, 200);
  } finally {
    await second.close();
  }
});
