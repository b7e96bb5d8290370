import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readProcessSettings } from './settings.ts';

describe('settings of npm run services', () => {
  test('have defaults: servers on their usual ports, one instance of each', () => {
    const settings = readProcessSettings({ RABBITMQ_URL: '' }, []);
    assert.equal(settings.rabbitmqUrl, 'amqp://127.0.0.1:5672');
    assert.equal(settings.databases['order-service'], 'mongodb://127.0.0.1:27017/tradepost-order-service');
    assert.equal(settings.consulUrl, undefined);
    assert.deepEqual(new Set(Object.values(settings.scale)), new Set([1]));
    assert.equal(settings.logLevel, 'info');
  });

  test('a service may have a database server of its own', () => {
    const { databases } = readProcessSettings(
      { MONGODB_URI: 'mongodb://a:1/?tls=true', ORDER_SERVICE_MONGODB_URI: 'mongodb://b:2/orders' },
      [],
    );
    assert.equal(databases['order-service'], 'mongodb://b:2/orders');
    assert.equal(databases['user-service'], 'mongodb://a:1/tradepost-user-service?tls=true');
  });

  test('--scale takes several, and may be repeated', () => {
    const args = ['--scale', 'order-service=2,gateway=3', '--scale', 'user-service=4'];
    const { scale } = readProcessSettings({}, args);
    assert.deepEqual(
      [scale['order-service'], scale.gateway, scale['user-service'], scale['product-service']],
      [2, 3, 4, 1],
    );
  });

  const wrong: [Record<string, string>, string[], RegExp][] = [
    [{}, ['--scale', 'orders=2'], /^--scale orders=2: say NAME=COUNT, NAME one of gateway, user-service/],
    [{}, ['--scale', 'order-service'], /^--scale order-service: say NAME=COUNT/],
    [{}, ['--scale', 'order-service=0'], /^--scale order-service=0: the count is from 1 to 20$/],
    [{}, ['--memory'], /^Unknown option '--memory'; the only argument is --scale NAME=COUNT,…$/],
    [{ MONGODB_URI: 'localhost' }, [], /^MONGODB_URI: must begin with mongodb:\/\/$/],
    [{ ORDER_SERVICE_MONGODB_URI: 'mongodb://b:2' }, [], /^ORDER_SERVICE_MONGODB_URI: .* and name a database$/],
  ];
  for (const [environment, args, message] of wrong) {
    test(`refuse ${JSON.stringify(environment)} ${args.join(' ')}`, () => {
      assert.throws(() => readProcessSettings(environment, args), { message });
    });
  }
});
