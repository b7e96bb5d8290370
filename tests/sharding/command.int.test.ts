import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { shard } from '@tradepost/local/sharding/cli';
import { sharding } from '@tradepost/local/sharding/shardKeys';
import { startTestDatabase } from '@tradepost/local/testing';
import { type Command, documents, startRouter } from './router.ts';

/** Collections that are spread, by their namespaces, as the cluster keeps them. */
const cluster = new Map<string, object>();
const heard: string[] = [];
let refuse: ((name: string, command: Command) => string | undefined) | undefined;

async function answer(name: string, command: Command): Promise<Record<string, unknown>> {
  const refusal = refuse?.(name, command);
  if (refusal) return { ok: 0, code: 72, codeName: 'InvalidOptions', errmsg: refusal };
  if (name === 'find') {
    return documents(
      'config.collections',
      [...cluster].map(([_id, key]) => ({ _id, key })),
    );
  }
  const [index] = (command.indexes as { key: object }[] | undefined) ?? [];
  const key = JSON.stringify(command.key ?? index?.key);
  if (name === 'createIndexes') heard.push(`index ${command.$db}.${command[name]} ${key}`);
  if (name === 'enableSharding') heard.push(`enable ${command[name]}`);
  if (name === 'shardCollection') {
    assert.equal(command.$db, 'admin');
    heard.push(`shard ${command[name]} ${key}`);
    cluster.set(String(command[name]), command.key as object);
  }
  return { ok: 1 };
}

async function run(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  await shard(args, line => lines.push(line));
  return lines;
}

describe('npm run shard', () => {
  let router: Awaited<ReturnType<typeof startRouter>>;
  before(async () => {
    router = await startRouter(answer);
  });
  after(() => router.close());
  afterEach(() => {
    cluster.clear();
    heard.length = 0;
    refuse = undefined;
  });

  test('spreads every collection that grows with orders, each after the index of its key is there', async () => {
    const lines = await run('--uri', router.uri);
    const all = Object.entries(sharding).flatMap(([service, { sharded }]) =>
      Object.entries(sharded).map(([name, { key }]) => [`tradepost-${service}.${name}`, key] as const),
    );
    assert.ok(all.length > 10);
    assert.deepEqual(new Map([...cluster].sort()), new Map(all.toSorted(([one], [other]) => (one < other ? -1 : 1))));
    assert.equal(lines.length, all.length);
    assert.ok(lines.includes('tradepost-order-service.orders: sharded by userId (hashed), _id'));
    assert.deepEqual(heard.slice(0, 3), [
      'enable tradepost-user-service',
      'index tradepost-user-service.confirmed_orders {"userId":"hashed","_id":1}',
      'shard tradepost-user-service.confirmed_orders {"userId":"hashed","_id":1}',
    ]);
  });

  test('can be repeated, and goes on where it was interrupted', async () => {
    await run('--uri', router.uri);
    cluster.delete('tradepost-order-service.sagas');
    heard.length = 0;
    const lines = await run('--uri', router.uri);
    assert.deepEqual(
      lines.filter(line => !line.includes(': already sharded by ')),
      ['tradepost-order-service.sagas: sharded by userId (hashed)'],
    );
    assert.deepEqual(
      heard.filter(one => one.startsWith('shard')),
      ['shard tradepost-order-service.sagas {"userId":"hashed"}'],
    );
  });

  test('spreads the database of one service, under the name that the address gives it', async () => {
    await run('--uri', `${router.uri}/orders?authSource=admin`, '--service', 'order-service');
    assert.deepEqual([...cluster.keys()].sort(), ['orders.events', 'orders.inbox', 'orders.orders', 'orders.sagas']);
  });

  test('changes nothing where a collection is spread by another key', async () => {
    cluster.set('tradepost-payment-service.payments', { userId: 1 });
    await assert.rejects(
      run('--uri', router.uri, '--service', 'payment-service'),
      /^StartError: tradepost-payment-service\.payments is spread by userId and not by _id \(hashed\); .*reshardCollection/,
    );
    assert.deepEqual(heard, []);
  });

  test('says what the cluster refuses, and of which collection', async () => {
    refuse = name => (name === 'shardCollection' ? "can't shard collection with unique index" : undefined);
    await assert.rejects(
      run('--uri', router.uri, '--service', 'order-service'),
      /^StartError: tradepost-order-service\.events: can't shard collection with unique index$/,
    );
  });

  test('refuses what is no mongos', async () => {
    const database = await startTestDatabase();
    await assert.rejects(run('--uri', database.uri('x')), /^StartError: --uri: .* a mongos, .* is a single server$/);
    await database.close();
    const member = await startRouter(answer, { setName: 'shop', hosts: [], me: 'x' });
    const direct = `${member.uri}/?directConnection=true`;
    await assert.rejects(run('--uri', direct), /^StartError: --uri: .* is a member of the replica set shop$/);
    await member.close();
    assert.deepEqual(heard, []);
  });

  const wrong: [what: string, args: string[], message: RegExp][] = [
    ['no address', [], /^StartError: --uri: say mongodb:\/\/HOST:PORT/],
    ['an address of something else', ['--uri', 'postgres://x'], /^StartError: --uri: say mongodb:\/\/HOST:PORT/],
    [
      'an unknown service',
      ['--uri', 'mongodb://x', '--service', 'gateway'],
      /^StartError: --service: say one of user-/,
    ],
    ['nobody there', ['--uri', 'mongodb://127.0.0.1:9'], /^StartError: --uri: no server answers \(.*ECONNREFUSED/],
    ['an unknown argument', ['--url', 'x'], /Unknown option '--url'/],
  ];
  for (const [what, args, message] of wrong) {
    test(`refuses ${what}`, () => assert.rejects(run(...args), message));
  }
});
