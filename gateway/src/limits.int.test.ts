import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startGateway, startUpstream, until } from './gateway.testing.ts';

const ok = (t: TestContext) =>
  startUpstream(t, (request, response) => {
    request.resume();
    response.end('ok');
  });

test('counts login, register and refresh of one address together, whoever is signed in', async t => {
  const upstream = await ok(t);
  const { send, token } = await startGateway(t, { 'user-service': upstream.url }, { AUTH_RATE_LIMIT: 6 });
  const signIn = (name: string, more = {}) => send('POST', `/api/users/${name}`, { body: {}, ...more });
  for (const name of ['login', 'register', 'refresh']) assert.equal((await signIn(name)).status, 200);
  assert.equal((await signIn('login/')).status, 200);
  assert.equal((await signIn('login', { token: token({ id: 'u1' }) })).status, 200);
  const last = await signIn('refresh');
  assert.match(last.headers.get('ratelimit') ?? '', /"auth"; r=0; t=\d+/);
  assert.match(last.headers.get('ratelimit-policy') ?? '', /"auth"; q=6; w=900/);
  for (const name of ['login', 'register', 'refresh']) {
    const answer = await signIn(name, { headers: { 'X-Forwarded-For': `1.2.3.${name.length}` } });
    assert.deepEqual([answer.status, answer.body.code], [429, 'rate_limited']);
    const wait = Number(answer.headers.get('retry-after'));
    assert.ok(wait > 0 && wait <= 900);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  }
  assert.equal((await send('GET', '/api/users/me')).status, 200, 'other calls are counted apart');
});

test('counts everything else by user, and by address where there is none', async t => {
  const upstream = await ok(t);
  const { send, token, metric } = await startGateway(
    t,
    { 'product-service': upstream.url },
    { RATE_LIMIT_PER_MINUTE: 3 },
  );
  const [ada, bob] = [token({ id: 'ada' }), token({ id: 'bob' })];
  const statusOf = async (options: object) => (await send('GET', '/api/products', options)).status;
  for (let count = 0; count < 3; count += 1) assert.equal(await statusOf({ token: ada }), 200);
  assert.equal(await statusOf({ token: ada }), 429);
  assert.equal(await statusOf({ token: token({ id: 'ada' }) }), 429, 'another token of the same user');
  assert.equal(await statusOf({ token: bob }), 200);
  for (let count = 0; count < 3; count += 1) {
    assert.equal(await statusOf({ headers: { 'X-Forwarded-For': `9.9.9.${count}`, 'X-Real-IP': '1.1.1.1' } }), 200);
  }
  for (let count = 0; count < 5; count += 1) {
    assert.equal(await statusOf({ headers: { 'X-Forwarded-For': `8.8.8.${count}`, Forwarded: 'for=1' } }), 429);
  }
  assert.equal(await statusOf({ token: 'a.b.c' }), 429, 'guessing tokens is counted by address');
  assert.equal(await metric('gateway_rate_limited_total', { bucket: 'api' }), 8);
  assert.equal((await send('GET', '/health/live')).status, 200);
});

test('believes X-Forwarded-For of as many proxies as are configured', async t => {
  const addresses: (string | string[] | undefined)[] = [];
  const upstream = await startUpstream(t, (request, response) => {
    addresses.push(request.headers['x-forwarded-for']);
    response.end();
  });
  const { send } = await startGateway(
    t,
    { 'product-service': upstream.url },
    { TRUST_PROXY: 1, RATE_LIMIT_PER_MINUTE: 1 },
  );
  const from = (address: string) => send('GET', '/api/products', { headers: { 'X-Forwarded-For': address } });
  assert.equal((await from('6.6.6.6, 7.7.7.7')).status, 200);
  assert.equal((await from('5.5.5.5, 7.7.7.7')).status, 429, 'the part that a client can make up does not count');
  assert.equal((await from('2001:db8:0:1::1')).status, 200);
  assert.equal((await from('2001:db8:0:2::2')).status, 429, 'one subscriber has a whole /56');
  assert.equal((await from('2001:db8:0:100::1')).status, 200);
  assert.deepEqual(addresses, ['7.7.7.7', '2001:db8:0:1::1', '2001:db8:0:100::1']);
});

test('refuses a bad token before any service is asked', async t => {
  const upstream = await ok(t);
  const { send, token } = await startGateway(t, { 'product-service': upstream.url, 'user-service': upstream.url });
  const good = token({ id: 'u1' });
  const [head, body, signature] = good.split('.');
  const bad = [
    `Bearer ${head}.${body}.${signature?.slice(0, -4)}AAAA`,
    `Bearer ${head}.${body}.`,
    `Basic ${good}`,
    good,
    'Bearer',
    `Bearer ${token({ id: 'u1' }, { expiresIn: -60 })}`,
    `Bearer ${token({ id: 'u1' }, { audience: 'other' })}`,
    `Bearer ${token({ id: 'u1' }, { issuer: 'other' })}`,
  ];
  for (const authorization of bad) {
    for (const path of ['/api/products', '/api/users/login', '/api/dashboard']) {
      const method = path.endsWith('login') ? 'POST' : 'GET';
      const answer = await send(method, path, { headers: { Authorization: authorization } });
      assert.deepEqual([authorization, answer.status, answer.body.code], [authorization, 401, 'unauthenticated']);
      assert.ok(answer.headers.get('www-authenticate')?.startsWith('Bearer'));
    }
  }
  assert.deepEqual(upstream.seen, []);
  assert.equal((await send('GET', '/api/products', { token: good })).status, 200);
});

test('passes requests and counts them while Redis is away, or is there and does not answer', async t => {
  const upstream = await ok(t);
  const mute = createServer(() => {});
  await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<{ destroy(): void }>();
  mute.on('connection', socket => sockets.add(socket));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const { port } = mute.address() as { port: number };
  for (const url of ['redis://127.0.0.1:9', `redis://127.0.0.1:${port}`]) {
    const { gateway, send, metric } = await startGateway(
      t,
      { 'product-service': upstream.url },
      { REDIS_URL: url, RATE_LIMIT_PER_MINUTE: 1 },
    );
    await gateway.start();
    for (let count = 0; count < 5; count += 1) assert.equal((await send('GET', '/api/products')).status, 200);
    assert.equal(await metric('gateway_rate_limit_store_errors_total'), 5);
  }
});

test('turns requests away past the number in flight, and takes them again afterwards', async t => {
  const held: (() => void)[] = [];
  const upstream = await startUpstream(t, (_request, response) => held.push(() => response.end('ok')));
  const { send, metric } = await startGateway(t, { 'product-service': upstream.url }, { MAX_IN_FLIGHT: 5 });
  const running = Array.from({ length: 5 }, () => send('GET', '/api/products'));
  await until(() => held.length === 5);
  const shed = await send('GET', '/api/products');
  assert.deepEqual([shed.status, shed.body.code, shed.headers.get('retry-after')], [503, 'service_unavailable', '1']);
  assert.equal((await send('GET', '/health/live')).status, 200, 'health is answered under any load');
  for (const release of held) release();
  assert.deepEqual(new Set((await Promise.all(running)).map(answer => answer.status)), new Set([200]));
  await until(async () => (await metric('gateway_in_flight')) === 0);
  const again = send('GET', '/api/products');
  await until(() => held.length === 6);
  held[5]?.();
  assert.equal((await again).status, 200);
  assert.equal(await metric('gateway_shed_total', { reason: 'in_flight' }), 1);
});

test('turns requests away while the event loop cannot keep up', async t => {
  const upstream = await ok(t);
  const { gateway, send, metric } = await startGateway(
    t,
    { 'product-service': upstream.url },
    { MAX_EVENT_LOOP_DELAY_MS: 10 },
  );
  await gateway.start();
  const busy = setInterval(() => {
    for (const end = performance.now() + 150; performance.now() < end; );
  }, 160);
  await until(async () => (await send('GET', '/api/products')).status === 503);
  clearInterval(busy);
  assert.ok((await metric('gateway_shed_total', { reason: 'event_loop_delay' })) >= 1);
});
