import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatRefreshToken,
  newNonce,
  newRefreshToken,
  parseRefreshToken,
  successorOf,
  tokenHash,
} from './refreshToken.ts';

test('a token is read back as it was written', () => {
  const token = newRefreshToken();
  assert.deepEqual(parseRefreshToken(formatRefreshToken(token)), token);
});

test('family and secret have 256 bits each and are never the same', () => {
  const tokens = Array.from({ length: 100 }, newRefreshToken);
  for (const { family, secret } of tokens) {
    assert.equal(Buffer.from(family, 'base64url').length, 32);
    assert.equal(Buffer.from(secret, 'base64url').length, 32);
  }
  assert.equal(new Set(tokens.flatMap(token => [token.family, token.secret])).size, 200);
});

test('what cannot be a token is none', () => {
  const good = formatRefreshToken(newRefreshToken());
  for (const bad of ['', good.slice(1), `${good}a`, `${good.slice(1)}!`, `${good}\n`, 'a.b.c']) {
    assert.equal(parseRefreshToken(bad), undefined, bad);
  }
});

test('a successor keeps the family, follows from token and nonce, and from neither alone', () => {
  const [token, nonce] = [newRefreshToken(), newNonce()];
  const next = successorOf(token, nonce);
  assert.equal(next.family, token.family);
  assert.deepEqual(successorOf(token, nonce), next);
  assert.notEqual(successorOf(token, newNonce()).secret, next.secret);
  assert.notEqual(successorOf(next, nonce).secret, next.secret);
  assert.ok(parseRefreshToken(formatRefreshToken(next)));
});

test('the stored hash says nothing of the token', () => {
  const { secret } = newRefreshToken();
  assert.notEqual(tokenHash(secret), secret);
  assert.equal(tokenHash('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});
