import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, loadConfig } from '@tradepost/shared/config';
import { settings } from './config.ts';

const read = (environment: Record<string, string>) => loadConfig(settings, environment);

test('has the documented defaults', () => {
  const config = read({});
  assert.equal(config.AUTH_RATE_LIMIT, 100);
  assert.equal(config.RATE_LIMIT_PER_MINUTE, 1_000);
  assert.equal(config.TRUST_PROXY, false);
  assert.equal(config.UPSTREAM_TIMEOUT_MS, 3_000);
  assert.equal(config.STREAM_IDLE_MS, 30_000);
});

test('reads whom to trust, and never everybody', () => {
  assert.equal(read({ TRUST_PROXY: 'false' }).TRUST_PROXY, false);
  assert.equal(read({ TRUST_PROXY: '2' }).TRUST_PROXY, 2);
  assert.deepEqual(read({ TRUST_PROXY: 'loopback, 10.0.0.0/8,fd00::/8' }).TRUST_PROXY, [
    'loopback',
    '10.0.0.0/8',
    'fd00::/8',
  ]);
  for (const value of ['true', '0', '10', '*', 'evil.example', '0x1']) {
    assert.throws(() => read({ TRUST_PROXY: value }), ConfigError, value);
  }
});
