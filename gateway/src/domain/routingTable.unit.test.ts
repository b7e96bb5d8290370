import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSignIn, upstreamOf } from './routingTable.ts';

test('a prefix ends where a segment ends', () => {
  assert.equal(upstreamOf('GET', '/api/users')?.service, 'user-service');
  assert.equal(upstreamOf('GET', '/api/users/')?.service, 'user-service');
  assert.equal(upstreamOf('GET', '/api/users/me')?.service, 'user-service');
  for (const path of ['/api/user', '/api/usersx', '/api/users;x', '/API/users', '/api', '/', '/internal/charges']) {
    assert.equal(upstreamOf('GET', path), undefined, path);
  }
});

test('a few routes have limits of their own', () => {
  assert.equal(upstreamOf('POST', '/api/orders')?.deadlineMs, 15_000);
  assert.equal(upstreamOf('POST', '/api/orders/')?.deadlineMs, 15_000);
  assert.equal(upstreamOf('GET', '/api/orders')?.deadlineMs, undefined);
  assert.equal(upstreamOf('POST', '/api/orders/1/cancel')?.deadlineMs, undefined);
  assert.equal(upstreamOf('POST', '/api/orders/1/refund')?.deadlineMs, 10_000);
  assert.equal(upstreamOf('POST', '/api/products/import')?.streamed, true);
  assert.equal(upstreamOf('GET', '/api/products/export')?.streamed, true);
  assert.equal(upstreamOf('POST', '/api/products')?.streamed, false);
});

test('sign-ins are known in every spelling that a service answers', () => {
  for (const path of ['/api/users/login', '/api/users/login/', '/api/users/register', '/api/users/refresh']) {
    assert.equal(isSignIn('POST', path), true, path);
  }
  assert.equal(isSignIn('GET', '/api/users/login'), false);
  assert.equal(isSignIn('POST', '/api/users/logout'), false);
});
