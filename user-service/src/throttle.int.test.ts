import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { password, startUserService, type UserServiceTest } from './testing/userService.ts';

const minute = 60_000;
let shop: UserServiceTest;
before(async () => {
  shop = await startUserService();
});
after(() => shop.close());

const wrong = (email: string) => shop.login(email, 'wrong wrong wrong');

async function fail(email: string, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) assert.equal((await wrong(email)).status, 401);
}

test('after ten failures an account takes no attempt, right or wrong, until 15 minutes are over', async () => {
  const { email } = await shop.register();
  await fail(email, 10);
  for (const secret of ['wrong wrong wrong', password]) {
    const answer = await shop.login(email, secret);
    assert.deepEqual([answer.status, answer.body.code], [429, 'too_many_attempts']);
    const seconds = Number(answer.headers.get('retry-after'));
    assert.ok(seconds > 0 && seconds <= 900, String(seconds));
  }
  shop.advance(16 * minute);
  assert.equal((await shop.login(email)).status, 200);
});

test('an address without account is treated alike', async () => {
  await fail('nobody@example.com', 10);
  const answer = await wrong('Nobody@Example.com');
  assert.deepEqual([answer.status, answer.body.code], [429, 'too_many_attempts']);
  assert.ok(answer.headers.get('retry-after'));
});

test('attempts while it is blocked do not make it longer', async () => {
  const { email } = await shop.register();
  await fail(email, 10);
  shop.advance(10 * minute);
  for (let count = 0; count < 20; count += 1) assert.equal((await wrong(email)).status, 429);
  shop.advance(6 * minute);
  assert.equal((await shop.login(email)).status, 200);
});

test('a success forgets the failures, and other accounts have their own count', async () => {
  const [one, other] = [await shop.register(), await shop.register()];
  await fail(one.email, 9);
  assert.equal((await shop.login(other.email)).status, 200);
  assert.equal((await shop.login(one.email)).status, 200);
  await fail(one.email, 9);
  assert.equal((await shop.login(one.email)).status, 200);
});

test('fifty guesses at once are no more than ten', async () => {
  const { email } = await shop.register();
  const answers = await Promise.all(Array.from({ length: 50 }, () => wrong(email)));
  assert.equal(answers.filter(answer => answer.status === 401).length, 10);
  assert.equal(answers.filter(answer => answer.body.code === 'too_many_attempts').length, 40);
});

test('guessing the current password by a stolen access token is limited too', async () => {
  const { accessToken: token, email } = await shop.register();
  const guess = (currentPassword: string) =>
    shop.send('POST', '/api/users/me/password', { token, body: { currentPassword, newPassword: 'another good one' } });
  for (let count = 0; count < 10; count += 1) {
    const answer = await guess('wrong wrong wrong');
    assert.deepEqual([answer.status, answer.body.code], [401, 'invalid_credentials']);
  }
  assert.equal((await guess(password)).body.code, 'too_many_attempts');
  assert.equal((await shop.login(email)).status, 200, 'the owner still signs in');
});

test('the record of failures names nobody', async () => {
  await fail('secret.person@example.com', 1);
  const stored = JSON.stringify(await shop.connection.collection('login_failures').find().toArray());
  assert.ok(!stored.includes('secret.person'));
});

test('a flood of sign-ins is shed with Retry-After while other routes answer', async () => {
  // A hash takes longer than a busy machine needs to send the next request.
  const strong = await startUserService({ PASSWORD_HASH_MEMORY_KIB: 19_456, PASSWORD_HASH_PASSES: 8 });
  try {
    const { accessToken } = await strong.register();
    const flood = Array.from({ length: 80 }, (_, index) => strong.login(`nobody${index}@example.com`, 'wrong wrong'));
    const meanwhile = await Promise.all(Array.from({ length: 10 }, () => strong.me(accessToken)));
    assert.ok(meanwhile.every(answer => answer.status === 200));
    const answers = await Promise.all(flood);
    const shed = answers.filter(answer => answer.status === 503);
    assert.ok(shed.length > 0);
    assert.ok(answers.every(answer => answer.status === 401 || answer.status === 503));
    assert.ok(shed.every(answer => Number(answer.headers.get('retry-after')) > 0));
    const failures = await strong.connection
      .collection('login_failures')
      .countDocuments({ 'failures.0': { $exists: true } });
    assert.equal(failures, answers.length - shed.length, 'what was not judged does not count');
  } finally {
    await strong.close();
  }
});
