import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { type TestContext, test } from 'node:test';
import { closedPort, startGateway, startUpstream } from './gateway.testing.ts';

test('passes method, path, query, body and the answer of a service on', async t => {
  const upstream = await startUpstream(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(201, { 'Content-Type': 'application/json', Location: '/api/products/1', ETag: '"7"' });
      response.end(JSON.stringify({ got: Buffer.concat(chunks).toString(), headers: request.headers }));
    });
  });
  const { send } = await startGateway(t, { 'product-service': upstream.url });
  const answer = await send('POST', '/api/products?x=1&y=%20', {
    body: '{"name": "Kättle"}',
    headers: { 'If-Match': '"6"', 'Idempotency-Key': 'k' },
  });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('location'), '/api/products/1');
  assert.equal(answer.headers.get('etag'), '"7"');
  assert.equal(answer.body.got, '{"name": "Kättle"}');
  assert.equal(answer.body.headers['if-match'], '"6"');
  assert.equal(answer.body.headers['idempotency-key'], 'k');
  assert.deepEqual(upstream.seen, ['POST /api/products?x=1&y=%20']);
});

test("keeps a service's problems, 304 and HEAD as they are", async t => {
  const upstream = await startUpstream(t, (request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'Content-Length': 1234 }).end();
    else if (request.headers['if-none-match']) response.writeHead(304, { ETag: '"1"' }).end();
    else response.writeHead(405, { 'Content-Type': 'application/problem+json', Allow: 'GET' }).end('{"code":"x"}');
  });
  const { send } = await startGateway(t, { 'product-service': upstream.url });
  const wrong = await send('PUT', '/api/products', { body: {} });
  assert.deepEqual([wrong.status, wrong.headers.get('allow'), wrong.body], [405, 'GET', { code: 'x' }]);
  assert.equal((await send('GET', '/api/products/1', { headers: { 'If-None-Match': '"1"' } })).status, 304);
  const head = await send('HEAD', '/api/products/1');
  assert.deepEqual([head.status, head.headers.get('content-length'), head.body], [200, '1234', '']);
});

const routes: [string, string, string | undefined][] = [
  ['GET', '/api/users/me', 'user-service'],
  ['GET', '/.well-known/jwks.json', 'user-service'],
  ['GET', '/api/products', 'product-service'],
  ['GET', '/api/inventory/1', 'inventory-service'],
  ['GET', '/api/orders', 'order-service'],
  ['GET', '/api/operations/sagas', 'order-service'],
  ['GET', '/api/operations/audit', 'order-service'],
  ['GET', '/api/operations/dead-letters', 'order-service'],
  ['GET', '/api/payments', 'payment-service'],
  ['GET', '/api/operations/payments/unresolved', 'payment-service'],
  ['POST', '/internal/charges', undefined],
  ['GET', '/internal', undefined],
  ['GET', '/metrics', undefined],
  ['GET', '/api/userside', undefined],
  ['GET', '/api', undefined],
  ['GET', '/API/users', undefined],
  ['GET', '/api/operations', undefined],
];

test('knows which service answers what, and nothing internal', async t => {
  const answerAs = (name: string) => startUpstream(t, (_request, response) => response.end(name));
  const names = ['user-service', 'product-service', 'inventory-service', 'order-service', 'payment-service'] as const;
  const addresses = Object.fromEntries(await Promise.all(names.map(async name => [name, (await answerAs(name)).url])));
  const { send } = await startGateway(t, addresses);
  for (const [method, path, service] of routes) {
    const answer = await send(method, path);
    if (service) assert.deepEqual([path, answer.body], [path, service]);
    else assert.deepEqual([path, answer.status, answer.body.code], [path, 404, 'not_found']);
  }
});

test('strips what a client may not say and says it itself', async t => {
  const heads: IncomingHttpHeaders[] = [];
  const upstream = await startUpstream(t, (request, response) => {
    heads.push(request.headers);
    response.end();
  });
  const { send } = await startGateway(t, { 'product-service': upstream.url });
  await send('GET', '/api/products', {
    headers: {
      'X-Forwarded-For': '6.6.6.6',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-User': 'admin',
      Forwarded: 'for=6.6.6.6',
      'X-User-Id': 'admin',
      X_User_Id: 'admin',
      'X-User': 'admin',
      'X-Real-IP': '6.6.6.6',
      'X-Request-Deadline': '999999',
      'X-Original-URL': '/internal',
      'X-HTTP-Method-Override': 'DELETE',
      'X-Request-Id': 'mine-1',
      TE: 'trailers',
      'X-Kept': 'yes',
    },
  });
  const [head] = heads;
  assert.ok(head);
  const host = head['x-forwarded-host'];
  for (const name of ['forwarded', 'x-user-id', 'x_user_id', 'x-user', 'x-real-ip', 'te', 'x-forwarded-user']) {
    assert.equal(head[name], undefined, name);
  }
  for (const name of ['x-original-url', 'x-http-method-override']) assert.equal(head[name], undefined, name);
  assert.equal(head['x-forwarded-for'], '127.0.0.1');
  assert.equal(head['x-forwarded-proto'], 'http');
  assert.match(String(host), /^127\.0\.0\.1:\d+$/);
  assert.equal(head['x-request-id'], 'mine-1');
  assert.equal(head['x-kept'], 'yes');
  assert.equal(head.host, new URL(upstream.url).host);
  const left = Number(head['x-request-deadline']);
  assert.ok(left > 0 && left <= 3_000, `${left} ms are left`);
  assert.match(String(head.traceparent), /^00-[\da-f]{32}-[\da-f]{16}-01$/);
});

test('gives the client no hop-by-hop fields of a service', async t => {
  const upstream = await startUpstream(t, (_request, response) => {
    response.writeHead(200, {
      Connection: 'keep-alive, X-Hop',
      'Keep-Alive': 'timeout=77',
      'X-Hop': '1',
      'X-End': '1',
    });
    response.end('x');
  });
  const { send } = await startGateway(t, { 'product-service': upstream.url });
  const { headers } = await send('GET', '/api/products');
  assert.equal(headers.get('x-hop'), null);
  assert.equal(headers.get('x-end'), '1');
  assert.notEqual(headers.get('keep-alive'), 'timeout=77');
  assert.ok(headers.get('x-request-id'));
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
});

test('uses connections to a service again', async t => {
  const upstream = await startUpstream(t, (request, response) => {
    request.resume();
    response.end('ok');
  });
  const { send } = await startGateway(t, { 'product-service': upstream.url });
  for (let count = 0; count < 20; count += 1) await send(count % 2 ? 'GET' : 'POST', '/api/products', {});
  assert.equal(upstream.seen.length, 20);
  assert.ok(upstream.connections() <= 2, `${upstream.connections()} connections`);
});

test('takes instances in turn', async t => {
  const [one, two] = [
    await startUpstream(t, (_request, response) => response.end('1')),
    await startUpstream(t, (_request, response) => response.end('2')),
  ];
  const { send } = await startGateway(t, { 'product-service': [one.url, two.url] });
  for (let count = 0; count < 10; count += 1) await send('GET', '/api/products');
  assert.deepEqual([one.seen.length, two.seen.length], [5, 5]);
});

const answering = (t: TestContext) =>
  startUpstream(t, (request, response) => {
    request.resume().on('end', () => response.end('good'));
  });

const resetting = (t: TestContext) => startUpstream(t, request => request.socket.destroy());

test('asks another instance once when a GET failed, and leaves the one that failed alone for a moment', async t => {
  const [bad, good] = [await resetting(t), await answering(t)];
  const { send, metric } = await startGateway(t, { 'product-service': [bad.url, good.url] });
  for (const method of ['GET', 'HEAD', 'GET']) assert.equal((await send(method, '/api/products')).status, 200);
  assert.equal(await metric('gateway_upstream_retries_total'), 1);
  assert.deepEqual([bad.seen.length, good.seen.length], [1, 3]);
});

test('asks another instance when one says that it is not available, and passes on what the last one says', async t => {
  const refusing = (text: string) =>
    startUpstream(t, (request, response) => {
      request.resume();
      response.writeHead(503).end(text);
    });
  const [bad, worse, good] = [await refusing('bad'), await refusing('worse'), await answering(t)];
  const first = await startGateway(t, { 'product-service': [bad.url, good.url] });
  assert.equal((await first.send('GET', '/api/products')).status, 200);
  assert.equal((await first.send('POST', '/api/products', { body: {} })).status, 200, 'which is known to be well');
  const second = await startGateway(t, { 'product-service': [bad.url, worse.url] });
  const answer = await second.send('GET', '/api/products');
  assert.deepEqual([answer.status, answer.body], [503, 'worse']);
  assert.deepEqual([bad.seen.length, worse.seen.length, good.seen.length], [2, 1, 2]);
});

test('never repeats a POST that may have arrived', async t => {
  const [bad, good] = [await resetting(t), await answering(t)];
  const { send } = await startGateway(t, {
    'product-service': [bad.url, good.url],
    'order-service': [bad.url, good.url],
  });
  for (const path of ['/api/products', '/api/orders']) {
    assert.equal((await send('POST', path, { body: {} })).status, path === '/api/products' ? 503 : 200);
  }
  assert.deepEqual([bad.seen, good.seen], [['POST /api/products'], ['POST /api/orders']]);
});

test('repeats an order that may have arrived, by its key', async t => {
  const [bad, good] = [await resetting(t), await answering(t)];
  const { send } = await startGateway(t, {
    'order-service': [bad.url, good.url],
    'product-service': [bad.url, good.url],
  });
  const headers = { 'Idempotency-Key': 'k' };
  assert.equal((await send('POST', '/api/orders', { body: {}, headers })).status, 200);
  assert.deepEqual([bad.seen.length, good.seen.length], [1, 1]);
  const other = await startGateway(t, { 'product-service': [bad.url, good.url] });
  assert.equal(
    (await other.send('POST', '/api/products', { body: {}, headers })).status,
    503,
    'whose route knows no key',
  );
});

test('sends a request whose connection was refused to another instance, whatever it does', async t => {
  const good = await answering(t);
  const { send } = await startGateway(t, { 'product-service': [await closedPort(), good.url] });
  for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
    for (let count = 0; count < 2; count += 1) {
      const answer = await send(method, '/api/products/1', method === 'GET' ? {} : { body: { count } });
      assert.deepEqual([method, answer.status], [method, 200]);
    }
  }
  assert.equal(good.seen.length, 8, 'each exactly once');
});

test('tries the only instance again, at most once', async t => {
  const upstream = await startUpstream(t, request => request.socket.destroy());
  const { send } = await startGateway(t, { 'product-service': upstream.url });
  const answer = await send('GET', '/api/products');
  assert.deepEqual([answer.status, answer.body.code], [503, 'service_unavailable']);
  assert.equal(upstream.seen.length, 2);
});
