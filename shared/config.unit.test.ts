import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ConfigError, commonSettings, databaseSettings, loadConfig, secretSetting } from './config.ts';
import { isKnownDefault } from './knownSecrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'tradepost-config-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const shape = { A_SECRET: secretSetting };
const good = randomBytes(32).toString('hex');
const lines = (read: () => unknown): string[] => {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split('\n');
  }
  return [];
};

describe('a setting that comes from a file', () => {
  test('is its content without the line end, and stands above the variable', () => {
    assert.equal(loadConfig(shape, { A_SECRET_FILE: file('one', `${good}\n`), A_SECRET: 'other' }).A_SECRET, good);
  });

  test('is absent when the file is empty', () => {
    assert.deepEqual(
      lines(() => loadConfig(shape, { A_SECRET_FILE: file('empty', '\n') })),
      ['A_SECRET: is not set'],
    );
  });

  test('is named with its file when that cannot be read, and no value is shown', () => {
    const missing = join(folder, 'missing');
    assert.deepEqual(
      lines(() => loadConfig(shape, { A_SECRET_FILE: missing })),
      [`A_SECRET_FILE: ${missing} cannot be read`],
    );
    assert.deepEqual(
      lines(() => loadConfig(shape, { A_SECRET_FILE: file('short', 'hush') })),
      ['A_SECRET: must have at least 32 characters'],
    );
  });
});

describe('a service does not start with a secret that everybody knows', () => {
  const common = { SERVICE_TOKEN_SECRET: good, RABBITMQ_URL: 'amqp://localhost' };
  const readAll = (changes: Record<string, string>) => () =>
    loadConfig({ ...commonSettings, ...databaseSettings }, { ...common, MONGODB_URI: 'mongodb://a/b', ...changes });

  test('but with one that was made', () => assert.deepEqual(lines(readAll({})), []));

  for (const value of [
    'change-me-change-me-change-me-change-me',
    'CHANGE_ME: at least thirty-two characters',
    's'.repeat(40),
    'secret'.repeat(6),
    '1234567890123456789012345678901234567890',
    'replace this with a secret of your own',
  ]) {
    test(`as ${value}`, () => {
      assert.deepEqual(lines(readAll({ SERVICE_TOKEN_SECRET: value })), [
        'SERVICE_TOKEN_SECRET: is a known default; npm run init-secrets makes one',
      ]);
    });
  }

  for (const [name, value] of [
    ['RABBITMQ_URL', 'amqp://guest:guest@rabbitmq:5672'],
    ['RABBITMQ_URL', 'amqps://shop:change%2Dme@rabbitmq'],
    ['RABBITMQ_URL', `amqp://shop:${good}@one:5672, amqp://shop:secret@two:5672`],
    ['MONGODB_URI', 'mongodb://root:example@order-db:27017/orders?authSource=admin'],
    ['MONGODB_URI', 'mongodb://shop:password@localhost,order-db/orders'],
  ] as const) {
    test(`as the password of ${value}`, () => {
      assert.deepEqual(lines(readAll({ [name]: value })), [
        `${name}: has a known default as password; npm run init-secrets makes one`,
      ]);
    });
  }

  for (const [name, value] of [
    ['RABBITMQ_URL', 'amqp://guest:guest@127.0.0.1:5672'],
    ['RABBITMQ_URL', `amqp://shop:${good}@rabbitmq`],
    ['RABBITMQ_URL', `amqp://shop:${good}@one:5672/vhost, amqps://shop:${good}@two`],
    ['MONGODB_URI', 'mongodb://root:example@localhost:27017,[::1]:27018/orders'],
    ['MONGODB_URI', 'mongodb://order-db/orders'],
  ] as const) {
    test(`which ${value} has not`, () => assert.deepEqual(lines(readAll({ [name]: value })), []));
  }

  for (const value of ['http://one', 'amqp://one,two', 'amqp://one,', 'amqp://']) {
    test(`nor with ${value} as the addresses of the broker`, () => {
      assert.deepEqual(lines(readAll({ RABBITMQ_URL: value })), [
        'RABBITMQ_URL: must begin with amqp://, also each of several addresses',
      ]);
    });
  }

  test('and what is made at random is never taken for one', () => {
    for (let turn = 0; turn < 1_000; turn += 1) {
      assert.equal(isKnownDefault(randomBytes(32).toString('hex')), false);
      assert.equal(isKnownDefault(randomBytes(18).toString('base64url')), false);
    }
  });
});
