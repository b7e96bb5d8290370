import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSettings } from './settings.ts';

describe('settings of npm start', () => {
  test('have defaults', () => {
    const settings = readSettings({}, []);
    assert.equal(settings.gatewayPort, 3000);
    assert.equal(settings.dataDir, '.data');
    assert.equal(settings.seedDemo, true);
    assert.equal(settings.admin, undefined);
    assert.equal(settings.logLevel, 'warn');
  });

  test('--memory keeps no folder', () =>
    assert.equal(readSettings({ DATA_DIR: 'x' }, ['--memory']).dataDir, undefined));

  test('an administrator is taken as a whole', () => {
    const admin = { email: 'root@shop.example', password: 'long enough password' };
    const settings = readSettings({ ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password }, []);
    assert.deepEqual(settings.admin, admin);
  });

  const wrong: [Record<string, string>, string[], RegExp][] = [
    [{ GATEWAY_PORT: '80a' }, [], /^GATEWAY_PORT: must be a whole number from 0 to 65528$/],
    [{ GATEWAY_PORT: '65529' }, [], /^GATEWAY_PORT: must be at most 65528$/],
    [{ SEED_DEMO: 'yes' }, [], /^SEED_DEMO: must be true or false$/],
    [{ LOG_LEVEL: 'loud' }, [], /^LOG_LEVEL: /],
    [{ MONGODB_URI: 'localhost' }, [], /^MONGODB_URI: must begin with mongodb:\/\/$/],
    [{ RABBITMQ_URL: 'http://localhost' }, [], /^RABBITMQ_URL: must begin with amqp:\/\/, also each/],
    [{ RABBITMQ_URL: 'amqp://one,http://two' }, [], /^RABBITMQ_URL: must begin with amqp:\/\/, also each/],
    [{ CONSUL_URL: 'localhost:8500' }, [], /^CONSUL_URL: must be an http address$/],
    [{ ADMIN_EMAIL: 'root@shop.example' }, [], /^ADMIN_EMAIL and ADMIN_PASSWORD: set both or neither$/],
    [{ ADMIN_EMAIL: 'root@shop.example', ADMIN_PASSWORD: 'short' }, [], /^ADMIN_PASSWORD: must have at least 10/],
    [{}, ['--in-memory'], /^--in-memory is not known/],
  ];
  for (const [environment, args, message] of wrong) {
    test(`refuse ${JSON.stringify(environment)} ${args.join(' ')}`, () => {
      assert.throws(() => readSettings(environment, args), { message });
    });
  }
});
