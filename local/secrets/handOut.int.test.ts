import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { commonSettings, databaseSettings, loadConfig } from '@tradepost/shared/config';
import { StartError } from '@tradepost/shared/lifecycle';
import { handOut } from './handOut.ts';
import { secretKinds } from './secrets.ts';

const folders = mkdtempSync(join(tmpdir(), 'tradepost-secrets-'));
after(() => rmSync(folders, { recursive: true }));

let count = 0;
/** A shop whose operator gave these. */
function shop(given: Record<string, string> = {}) {
  count += 1;
  const at = (name: string) => join(folders, String(count), name);
  const options = { given: at('given'), kept: at('kept'), out: at('out'), rotate: false };
  const give = (secrets: Record<string, string>) => {
    mkdirSync(options.given, { recursive: true });
    for (const [name, value] of Object.entries(secrets)) writeFileSync(join(options.given, name), `${value}\n`);
  };
  give(given);
  return {
    options,
    give,
    has: (owner: string, name: string) => readFileSync(join(options.out, owner, name), 'utf8').trim(),
  };
}

const fault = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof StartError);
    return error.message;
  }
  return assert.fail('it took them');
};

describe('secrets that nobody gave', () => {
  const { options, has } = shop();
  const made = handOut(options);

  test('are made, all but those that only a provider has', () => {
    assert.deepEqual(
      made,
      secretKinds.flatMap(kind => (kind.make ? [kind.name] : [])),
    );
    assert.equal(has('payment-service', 'stripe-api-key'), '');
  });

  test('are such that the services start with them', () => {
    for (const name of ['user', 'product', 'inventory', 'order', 'payment']) {
      const config = loadConfig(
        { ...commonSettings, ...databaseSettings },
        {
          SERVICE_TOKEN_SECRET_FILE: join(options.out, `${name}-service`, 'service-token-secret'),
          RABBITMQ_URL_FILE: join(options.out, `${name}-service`, 'rabbitmq-url'),
          MONGODB_URI_FILE: join(options.out, `${name}-service`, 'mongodb-uri'),
        },
      );
      const uri = new URL(config.MONGODB_URI);
      assert.deepEqual([uri.host, uri.pathname], [`${name}-db:27017`, `/${name}`]);
      assert.equal(decodeURIComponent(uri.password), has(`${name}-db`, 'password'));
      const broker = new URL(config.RABBITMQ_URL);
      assert.equal(
        has('rabbitmq', 'user.conf'),
        `default_user = ${broker.username}\ndefault_pass = ${decodeURIComponent(broker.password)}`,
      );
    }
  });

  test('are the same the next time', () => {
    const before = has('user-service', 'token-key-secret');
    assert.deepEqual(handOut(options), []);
    assert.equal(has('user-service', 'token-key-secret'), before);
  });

  test('go to nobody who does not need them', () => {
    const owners = readdirSync(options.out).toSorted();
    const holders = (secret: string) => owners.filter(owner => readdirSync(join(options.out, owner)).includes(secret));
    assert.deepEqual(holders('token-key-secret'), ['user-service']);
    assert.deepEqual(holders('root-password'), ['inventory-db', 'order-db', 'payment-db', 'product-db', 'user-db']);
    assert.deepEqual(holders('admin-password'), ['admin', 'grafana', 'user-service']);
    const ofGateway = readdirSync(join(options.out, 'gateway')).toSorted();
    assert.deepEqual(ofGateway, ['rabbitmq-url', 'redis-url', 'service-token-secret']);
    const all = owners.flatMap(owner => (owner.endsWith('-db') ? [has(owner, 'root-password')] : []));
    assert.equal(new Set(all).size, 5);
  });

  test('can be changed by nobody', () => {
    assert.equal(statSync(join(options.out, 'gateway', 'rabbitmq-url')).mode & 0o777, 0o444);
    assert.equal(statSync(join(options.kept, 'token-key-secret')).mode & 0o777, 0o400);
  });
});

describe('secrets that the operator gave', () => {
  test('are taken, and the first administrator of the settings too', () => {
    const { options, has } = shop({ 'order-service-db-password': 'Zw3_fKq8-QhTn2sLxV' });
    handOut({ ...options, admin: { email: 'ada@example.com', password: 'a fine, long one' } });
    assert.equal(has('order-db', 'password'), 'Zw3_fKq8-QhTn2sLxV');
    assert.deepEqual(
      [has('admin', 'admin-email'), has('user-service', 'admin-password')],
      ['ada@example.com', 'a fine, long one'],
    );
  });

  test('are refused when everybody knows them or they are too short, all at once and without being shown', () => {
    const { options } = shop({
      'service-token-secret': 'changeme-changeme-changeme-changeme',
      'rabbitmq-password': 'hush',
      'grafana-admin-password': 'password',
    });
    assert.deepEqual(fault(() => handOut(options)).split('\n'), [
      'service-token-secret: is a known default',
      'rabbitmq-password: must have at least 16 characters',
      'grafana-admin-password: is a known default',
    ]);
  });

  test('are refused when the data of the shop was made with others, unless they are changed on purpose', () => {
    const { options, give, has } = shop();
    handOut(options);
    give({
      'order-service-db-password': 'Zw3_fKq8-QhTn2sLxV',
      'service-token-secret': `${'k'.repeat(20)}Zw3_fKq8-QhTn2sLxV`,
    });
    assert.match(
      fault(() => handOut(options)),
      /^order-service-db-password: not the one .* ROTATE_SECRETS=true/,
    );
    handOut({ ...options, rotate: true });
    assert.equal(has('order-db', 'password'), 'Zw3_fKq8-QhTn2sLxV');
  });

  test('are both of an administrator or none', () => {
    const { options } = shop({ 'admin-email': 'ada@example.com' });
    assert.match(
      fault(() => handOut(options)),
      /both or neither/,
    );
  });
});
