import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startGateway, startUpstream, until } from '../../gateway/src/gateway.testing.ts';
import { redisProgram, startRedis } from './servers.ts';

const limit = 10;

/** Two gateways in front of one service that count in one Redis, which is there. */
async function startTwo(t: TestContext) {
  const redis = await startRedis();
  t.after(() => redis.close());
  const upstream = await startUpstream(t, (request, response) => {
    request.resume();
    response.end('ok');
  });
  const config = { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: limit, AUTH_RATE_LIMIT: limit };
  const addresses = { 'product-service': upstream.url, 'user-service': upstream.url };
  const gateways = [await startGateway(t, addresses, config), await startGateway(t, addresses, config)] as const;
  for (const { gateway } of gateways) await gateway.start();
  /** Asks the gateways in turn, as so many users as there are names. */
  const ask = async (names: readonly string[], method = 'GET', path = '/api/products') => {
    const statuses: number[] = [];
    for (const [at, name] of names.entries()) {
      const { send, token } = gateways[at % 2 === 0 ? 0 : 1];
      // A token of the other gateway's issuer would be none.
      statuses.push((await send(method, path, { token: token({ id: name }) })).status);
    }
    return statuses;
  };
  /** Waits until both count in Redis: a counted answer says what is left. */
  const untilCounted = async (name: string) => {
    for (const { send, token } of gateways) {
      await until(async () =>
        (await send('GET', '/api/products', { token: token({ id: name }) })).headers.has('ratelimit'),
      );
    }
  };
  return { redis, gateways, ask, untilCounted };
}

const times = (count: number, name: string): string[] => Array.from({ length: count }, () => name);
const passed = (statuses: readonly number[]): number => statuses.filter(status => status === 200).length;

if (process.env[redisProgram]) {
  test('gateways count one user, and the sign-ins of one address, together', async t => {
    const { ask, untilCounted } = await startTwo(t);
    await untilCounted('first');
    const statuses = await ask(times(2 * limit, 'ada'));
    assert.deepEqual([passed(statuses), statuses.at(-1)], [limit, 429]);
    assert.equal(passed(await ask(times(limit, 'bob'))), limit, 'another user has a count of their own');
    const signIns = await ask(times(2 * limit, 'anybody'), 'POST', '/api/users/login');
    assert.equal(passed(signIns), limit);
  });

  test('a Redis that is killed lets requests pass, counted as such, and counts again when it is back', async t => {
    const { redis, gateways, ask, untilCounted } = await startTwo(t);
    await untilCounted('first');
    assert.equal(passed(await ask(times(2 * limit, 'ada'))), limit);
    // Those asked before the first connection were counted too.
    const uncounted = () => Promise.all(gateways.map(({ metric }) => metric('gateway_rate_limit_store_errors_total')));
    const before = await uncounted();
    await redis.kill();
    assert.equal(passed(await ask(times(2 * limit, 'ada'))), 2 * limit);
    assert.deepEqual(
      (await uncounted()).map((count, at) => count - (before[at] ?? 0)),
      [limit, limit],
    );
    await redis.start();
    await untilCounted('second');
    // It has forgotten its scripts and its counts.
    assert.equal(passed(await ask(times(2 * limit, 'ada'))), limit);
  });
}
