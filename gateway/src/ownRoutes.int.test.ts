import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '@tradepost/shared/http/listener';
import { closedPort, startGateway, startUpstream, until } from './gateway.testing.ts';

const healthy = { status: 'healthy', checks: {} };

const json = (t: TestContext, answers: Record<string, unknown>) =>
  startUpstream(t, (request, response) => {
    const body = answers[request.url?.split('?', 1)[0] ?? ''];
    if (body === 'hang') return;
    response.writeHead(body === undefined ? 500 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body === undefined ? { code: 'internal_error' } : { ...body, sent: request.headers }));
  });

test('gathers the dashboard with the user’s own token', async t => {
  const user = await json(t, { '/api/users/me': { id: 'ada' } });
  const order = await json(t, { '/api/orders': { items: [{ id: 'o1' }], nextCursor: null } });
  const product = await json(t, { '/api/products/recent': { items: [{ id: 'p1' }] } });
  const { send, token } = await startGateway(t, {
    'user-service': user.url,
    'order-service': order.url,
    'product-service': product.url,
  });
  const answer = await send('GET', '/api/dashboard', {
    token: token({ id: 'ada' }),
    headers: { 'X-Request-Id': 'r-1' },
  });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body.orders, [{ id: 'o1' }]);
  assert.deepEqual(answer.body.recentProducts, [{ id: 'p1' }]);
  assert.deepEqual(answer.body.degraded, []);
  const { id, sent } = answer.body.user;
  assert.equal(id, 'ada');
  assert.match(sent.authorization, /^Bearer ey/);
  assert.equal(sent['x-request-id'], 'r-1');
  assert.ok(Number(sent['x-request-deadline']) > 0);
});

test('names the parts of the dashboard that failed, and fails only without any', async t => {
  const order = await json(t, { '/api/orders': { items: [] } });
  const product = await json(t, { '/api/products/recent': 'hang' });
  const degraded = await startGateway(t, { 'order-service': order.url, 'product-service': product.url });
  const asUser = { token: degraded.token({ id: 'ada' }) };
  const answer = await degraded.send('GET', '/api/dashboard', asUser);
  assert.deepEqual(
    [answer.status, answer.body],
    [200, { user: null, orders: [], recentProducts: null, degraded: ['user', 'recentProducts'] }],
  );
  const alone = await startGateway(t, {});
  const failed = await alone.send('GET', '/api/dashboard', { token: alone.token({ id: 'ada' }) });
  assert.deepEqual([failed.status, failed.body.code], [503, 'service_unavailable']);
  assert.equal((await alone.send('GET', '/api/dashboard')).status, 401);
  assert.equal((await alone.send('POST', '/api/dashboard', { body: {} })).status, 405);
});

test('a token is not carried to where a service redirects', async t => {
  const elsewhere = await json(t, { '/': { id: 'mallory' } });
  const user = await startUpstream(t, (_request, response) => {
    response.writeHead(307, { Location: `${elsewhere.url}/` }).end();
  });
  const order = await json(t, { '/api/orders': { items: [] } });
  const { send, token } = await startGateway(t, { 'user-service': user.url, 'order-service': order.url });
  const { body } = await send('GET', '/api/dashboard', { token: token({ id: 'ada' }) });
  assert.deepEqual([body.user, body.degraded.includes('user')], [null, true]);
  assert.deepEqual(elsewhere.seen, []);
});

test('is ready once every service was, and degrades when one is lost later', async t => {
  const names = ['user-service', 'product-service', 'inventory-service', 'order-service', 'payment-service'] as const;
  const upstreams = await Promise.all(
    names.map(() => json(t, { '/health': healthy, '/health/ready': { status: 'ready' } })),
  );
  const late = await closedPort();
  const addresses = Object.fromEntries(names.map((name, index) => [name, upstreams[index]?.url ?? '']));
  const { gateway, send } = await startGateway(t, { ...addresses, 'payment-service': late });
  const readiness = async () => (await send('GET', '/health/ready')).status;
  assert.equal(await readiness(), 503);
  await gateway.start();
  assert.equal(gateway.isReady(), false);
  assert.equal((await send('GET', '/health')).body.status, 'degraded');
  assert.equal((await send('GET', '/health/live')).status, 200);

  const payment = await startUpstream(
    t,
    (_request, response) =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(healthy)),
    Number(new URL(late).port),
  );
  await until(() => gateway.isReady());
  assert.equal(await readiness(), 200);
  /** The answer in which so many services are up; a busy machine may be late with one. */
  const healthWith = async (up: number) => {
    for (;;) {
      const answer = await send('GET', '/health');
      const checks = names.map(name => answer.body.checks[name]);
      if (checks.filter(({ status }) => status === 'up').length === up) return answer;
    }
  };
  const whole = await healthWith(5);
  assert.deepEqual([whole.status, whole.body.status, whole.body.service], [200, 'healthy', 'gateway']);
  for (const name of names) assert.deepEqual(whole.body.checks[name], { status: 'up', instances: 1, instancesUp: 1 });

  await payment.close();
  const degraded = await healthWith(4);
  assert.deepEqual([degraded.status, degraded.body.status], [200, 'degraded']);
  assert.deepEqual(degraded.body.checks['payment-service'], { status: 'down', instances: 1, instancesUp: 0 });
  assert.equal(await readiness(), 200);
});

test('a service that is itself degraded, or whose health hangs, degrades the gateway', async t => {
  const degraded = await json(t, { '/health': { status: 'degraded', checks: {} } });
  const hanging = await json(t, { '/health': 'hang' });
  const { send } = await startGateway(t, { 'user-service': degraded.url, 'order-service': hanging.url });
  const { body } = await send('GET', '/health');
  assert.equal(body.checks['user-service'].status, 'degraded');
  assert.equal(body.checks['order-service'].status, 'down');
  assert.equal(body.status, 'degraded');
});

test('however many ask for the health at once, each service is asked once', async t => {
  const held: (() => void)[] = [];
  let isOpen = false;
  const slow = await startUpstream(t, (_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    const answer = () => response.end(JSON.stringify(healthy));
    if (isOpen) answer();
    else held.push(answer);
  });
  const { send } = await startGateway(t, { 'user-service': slow.url });
  const paths = Array.from({ length: 40 }, (_, at) => (at % 2 ? '/health' : '/health/ready'));
  const answers = paths.map(path => send('GET', path));
  await until(() => held.length > 0);
  await sleep(100);
  assert.equal(held.length, 1);
  isOpen = true;
  held[0]?.();
  for (const { status, body } of await Promise.all(answers)) {
    if (body.checks) assert.deepEqual([status, body.checks['user-service'].status], [200, 'up']);
  }
});

test('serves its pages and their files from this machine, without inline scripts', async t => {
  const { send } = await startGateway(t, {});
  const home = await send('GET', '/', { headers: { Accept: 'text/html,application/json;q=0.9' } });
  assert.match(home.headers.get('content-type') ?? '', /^text\/html/);
  for (const link of ['/docs', '/openapi.json', '/health']) assert.ok(home.body.includes(`href="${link}"`), link);
  const data = await send('GET', '/', { headers: { Accept: 'application/json' } });
  assert.equal(data.body.links.documentation, '/docs');

  const docs = await send('GET', '/docs');
  const policy = docs.headers.get('content-security-policy') ?? '';
  assert.match(policy, /script-src 'self'/);
  assert.doesNotMatch(policy, /upgrade-insecure-requests|https:|script-src[^;]*unsafe/);
  const files = [...`${home.body}${docs.body}`.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1] ?? '');
  assert.ok(files.every(file => file.startsWith('/')));
  for (const file of files.filter(one => one.startsWith('/docs/'))) assert.equal((await send('GET', file)).status, 200);
  assert.doesNotMatch(`${home.body}${docs.body}`, /<script>|\son\w+=/);
  const spec = await send('GET', '/openapi.json');
  assert.equal(spec.body.openapi, '3.1.0');
  for (const path of ['/docs/package.json', '/docs/..%2fpackage.json', '/docs/index.html']) {
    assert.ok([400, 404].includes((await send('GET', path)).status), path);
  }
});

test('serves metrics on a listener of their own only', async t => {
  const { gateway, send } = await startGateway(t, {});
  const { status, body } = await send('GET', '/metrics');
  assert.deepEqual([status, body.code], [404, 'not_found']);
  const listener = await listen(gateway.metricsListener, { port: 0, host: '127.0.0.1' });
  t.after(() => listener.close(100));
  const metrics = await (await fetch(`http://127.0.0.1:${listener.port}/metrics`)).text();
  assert.match(metrics, /http_request_duration_seconds_count\{[^}]*status="404"/);
  assert.match(metrics, /gateway_breaker_open\{upstream="user-service",service="gateway"\} 0/);
  assert.equal((await fetch(`http://127.0.0.1:${listener.port}/health`)).status, 404);
});

test('labels proxied requests by prefix, so that the metric has few series', async t => {
  const upstream = await startUpstream(t, (_request, response) => response.end());
  const { send, registry } = await startGateway(t, { 'order-service': upstream.url });
  for (const id of ['a', 'b', 'c']) await send('GET', `/api/orders/${id}`);
  const text = await registry.metrics();
  assert.match(text, /http_request_duration_seconds_count\{[^}]*route="\/api\/orders"[^}]*\} 3/);
  for (const path of ['/a', '/b/c', '/docs/d', '/docs/e', '/api/f', '/wp-login.php', '/%41']) await send('GET', path);
  const routes = new Set(
    [...(await registry.metrics()).matchAll(/_count\{[^}]*route="([^"]*)"/g)].map(match => match[1]),
  );
  assert.deepEqual([...routes].sort(), ['/api/orders', '/docs/:file', 'unmatched']);
});

test('the port of a stopped gateway is free', async t => {
  const { port, stop } = await startGateway(t, {});
  await stop();
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
});
