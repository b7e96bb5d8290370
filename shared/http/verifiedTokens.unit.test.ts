import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rememberVerified } from './verifiedTokens.ts';

test('checks a good token once a minute, and never past its end', async () => {
  let [now, checks] = [0, 0];
  const claimsOf = rememberVerified(
    async token => {
      checks += 1;
      return { exp: token === 'short' ? 10 : 1_000, token };
    },
    () => now,
  );
  for (now of [0, 1, 59_999]) assert.equal((await claimsOf('long')).token, 'long');
  assert.equal(checks, 1);
  now = 60_000;
  await claimsOf('long');
  assert.equal(checks, 2);
  [now, checks] = [0, 0];
  for (now of [0, 9_999, 10_000, 10_001]) await claimsOf('short');
  assert.equal(checks, 3);
});

test('checks a bad token each time', async () => {
  let checks = 0;
  const claimsOf = rememberVerified(async () => {
    checks += 1;
    throw new Error('bad');
  });
  for (let count = 0; count < 3; count += 1) await assert.rejects(claimsOf('x'), /bad/);
  assert.equal(checks, 3);
});

test('remembers a bounded number of tokens, the newest', async () => {
  let checks = 0;
  const claimsOf = rememberVerified(
    async () => {
      checks += 1;
      return { exp: 1e9 };
    },
    () => 0,
  );
  for (let count = 0; count <= 10_000; count += 1) await claimsOf(String(count));
  checks = 0;
  await claimsOf('10000');
  await claimsOf('1');
  assert.equal(checks, 0);
  await claimsOf('0');
  assert.equal(checks, 1);
});
