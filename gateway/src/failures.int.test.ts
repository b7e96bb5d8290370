import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { closedPort, startGateway, startUpstream, until } from './gateway.testing.ts';

/** What a client makes of an answer: its status, and whether all of its body came. */
async function fetchWhole(url: string): Promise<{ status: number; whole: boolean; bytes: number }> {
  const call = httpRequest(url, { agent: false });
  call.end();
  let response: IncomingMessage;
  try {
    [response] = (await once(call, 'response')) as [IncomingMessage];
  } catch {
    return { status: 0, whole: false, bytes: 0 };
  }
  let bytes = 0;
  try {
    for await (const chunk of response) bytes += (chunk as Buffer).length;
  } catch {
    return { status: response.statusCode ?? 0, whole: false, bytes };
  }
  return { status: response.statusCode ?? 0, whole: response.complete, bytes };
}

const part = 'x'.repeat(10_000);
const trials = 100;

for (const framing of ['content-length', 'chunked'] as const) {
  for (const end of ['closes', 'resets', 'ends early'] as const) {
    test(`a service that ${end} in mid-body never looks like a whole answer (${framing})`, async t => {
      const upstream = await startUpstream(t, (_request, response) => {
        response.writeHead(200, framing === 'chunked' ? {} : { 'Content-Length': 3 * part.length });
        response.write(part, () => {
          if (end === 'resets') response.socket?.resetAndDestroy();
          else if (end === 'closes') response.socket?.destroy();
          else response.socket?.end();
        });
      });
      const { url } = await startGateway(t, { 'product-service': upstream.url });
      for (let trial = 0; trial < trials; trial += 1) {
        const got = await fetchWhole(`${url}/api/products`);
        assert.equal(got.whole, false, `trial ${trial}: ${JSON.stringify(got)}`);
        assert.ok(got.bytes <= part.length);
      }
    });
  }
}

test('a service that is not there is 503 with Retry-After', async t => {
  const { send } = await startGateway(t, { 'product-service': await closedPort() });
  for (const method of ['GET', 'POST']) {
    const answer = await send(method, '/api/products', method === 'POST' ? { body: {} } : {});
    assert.deepEqual([answer.status, answer.body.code], [503, 'service_unavailable']);
    assert.equal(answer.headers.get('retry-after'), '1');
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.equal(answer.body.requestId, answer.headers.get('x-request-id'));
  }
});

test('a service without instances is 503', async t => {
  const { send } = await startGateway(t, { 'product-service': [] });
  assert.equal((await send('GET', '/api/products')).status, 503);
});

test('a service that hangs is 504 when its time is up, and the call is given up', async t => {
  let givenUp = 0;
  const upstream = await startUpstream(t, request => {
    request.resume();
    request.socket.once('close', () => {
      givenUp += 1;
    });
  });
  const { send } = await startGateway(t, { 'product-service': upstream.url }, { UPSTREAM_TIMEOUT_MS: 200 });
  for (const method of ['GET', 'POST']) {
    const answer = await send(method, '/api/products', method === 'POST' ? { body: {} } : {});
    assert.deepEqual([answer.status, answer.body.code], [504, 'upstream_timeout']);
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  assert.equal(upstream.seen.length, 2, 'a late answer is not asked for again');
  await until(() => givenUp === 2);
});

test('a service that stops in mid-body is cut off when its time is up', async t => {
  const upstream = await startUpstream(t, (_request, response) => response.writeHead(200).write(part));
  const { url } = await startGateway(t, { 'product-service': upstream.url }, { UPSTREAM_TIMEOUT_MS: 200 });
  assert.deepEqual(await fetchWhole(`${url}/api/products`), { status: 200, whole: false, bytes: part.length });
});

test('a call whose time is up while it waits for a connection never reaches the service', async t => {
  const held: (() => void)[] = [];
  const upstream = await startUpstream(t, (request, response) => {
    request.resume();
    held.push(() => response.end('{}'));
  });
  const { send } = await startGateway(t, { 'order-service': upstream.url }, { UPSTREAM_TIMEOUT_MS: 200 });
  const orders = Array.from({ length: 64 }, () => send('POST', '/api/orders', { body: {} }));
  await until(() => held.length === 64);
  const lists = await Promise.all(Array.from({ length: 10 }, () => send('GET', '/api/orders')));
  assert.deepEqual(new Set(lists.map(answer => answer.status)), new Set([504]));
  for (const release of held) release();
  assert.deepEqual(new Set((await Promise.all(orders)).map(answer => answer.status)), new Set([200]));
  assert.equal(upstream.seen.filter(line => line === 'GET /api/orders').length, 0);
});

test('a request for an order has its own, longer time', async t => {
  const deadlines: string[] = [];
  const upstream = await startUpstream(t, (request, response) => {
    deadlines.push(String(request.headers['x-request-deadline']));
    request.resume();
    response.end('{}');
  });
  const { send } = await startGateway(t, { 'order-service': upstream.url });
  await send('POST', '/api/orders', { body: {} });
  await send('GET', '/api/orders');
  const [order, list] = deadlines.map(Number);
  assert.ok(order && order > 14_000 && order <= 15_000, `${order}`);
  assert.ok(list && list > 2_000 && list <= 3_000, `${list}`);
});

test('a client that leaves takes its call to the service with it', async t => {
  let closed = 0;
  const upstream = await startUpstream(t, (request, response) => {
    request.resume();
    if (request.url?.endsWith('begun')) response.writeHead(200).write(part);
    response.once('close', () => {
      closed += 1;
    });
  });
  const { port, metric } = await startGateway(t, { 'product-service': upstream.url });
  for (const path of ['waiting', 'begun']) {
    const call = httpRequest({ port, path: `/api/products/${path}`, agent: false });
    call.on('error', () => {}).end();
    await until(() => upstream.seen.at(-1)?.endsWith(path) ?? false);
    call.destroy();
  }
  await until(() => closed === 2);
  assert.equal(await metric('gateway_upstream_failures_total'), 0);
});

test('an answer that comes before the request is whole reaches the client', async t => {
  const upstream = await startUpstream(t, (_request, response) => {
    response.writeHead(401, { 'Content-Type': 'application/problem+json', Connection: 'close' }).end('{"code":"x"}');
  });
  const { send } = await startGateway(t, { 'product-service': upstream.url });
  for (let trial = 0; trial < 30; trial += 1) {
    const answer = await send('POST', '/api/products', { body: 'y'.repeat(90_000) });
    assert.deepEqual([answer.status, answer.body], [401, { code: 'x' }]);
  }
});

test('opens the breaker of one service, fails fast, and closes it after one good try', async t => {
  let healthy = false;
  const bad = await startUpstream(t, (request, response) => {
    if (healthy) response.end('well');
    else request.socket.destroy();
  });
  const good = await startUpstream(t, (_request, response) => response.end('fine'));
  const { send, metric } = await startGateway(
    t,
    { 'product-service': bad.url, 'user-service': good.url },
    { BREAKER_RESET_MS: 300 },
  );
  let calls = 0;
  while ((await metric('gateway_breaker_open', { upstream: 'product-service' })) === 0) {
    calls += 1;
    assert.ok(calls <= 20, 'the breaker did not open within 20 calls');
    assert.equal((await send('POST', '/api/products', { body: {} })).status, 503);
  }
  const reached = bad.seen.length;
  const refused = await send('GET', '/api/products');
  assert.deepEqual([refused.status, refused.body.code, bad.seen.length], [503, 'service_unavailable', reached]);
  assert.ok(refused.headers.get('retry-after'));
  assert.equal((await send('GET', '/api/users/me')).body, 'fine');

  healthy = true;
  await until(async () => (await send('GET', '/api/products')).status === 200);
  assert.equal(await metric('gateway_breaker_open', { upstream: 'product-service' }), 0);
  const answers = await Promise.all(Array.from({ length: 20 }, () => send('GET', '/api/products')));
  assert.ok(answers.every(answer => answer.status === 200));
});

test('answers of a service, whatever they say, do not open its breaker; those that came too late do', async t => {
  let status = 400;
  const upstream = await startUpstream(t, (_request, response) => response.writeHead(status).end());
  const { send, metric } = await startGateway(t, { 'product-service': upstream.url });
  const ask = () => Promise.all(Array.from({ length: 40 }, () => send('GET', '/api/products')));
  for (status of [400, 429, 500, 503]) {
    assert.deepEqual(new Set((await ask()).map(answer => answer.status)), new Set([status]));
    assert.equal(await metric('gateway_breaker_open'), 0, `after ${status}`);
  }
  status = 504;
  for (let round = 0; round < 6; round += 1) await ask();
  assert.equal(await metric('gateway_breaker_open'), 1);
});

test('running requests are finished when the gateway stops, and it takes no longer than they do', async t => {
  let release: (() => void) | undefined;
  const upstream = await startUpstream(t, (_request, response) => {
    release = () => response.end('done');
  });
  const { send, stop, gateway } = await startGateway(t, { 'product-service': upstream.url });
  const running = send('GET', '/api/products');
  await until(() => release !== undefined);
  const stopping = stop();
  assert.equal(gateway.isReady(), false);
  release?.();
  const answer = await running;
  assert.deepEqual([answer.status, answer.body], [200, 'done']);
  await stopping;
  await assert.rejects(send('GET', '/'));
});

test('idle connections are told to close while the gateway stops', async t => {
  const held: (() => void)[] = [];
  const upstream = await startUpstream(t, (_request, response) => held.push(() => response.end('x')));
  const shop = await startGateway(t, { 'product-service': upstream.url });
  const running = shop.send('GET', '/api/products');
  await until(() => held.length === 1);
  const stopping = shop.stop();
  held[0]?.();
  assert.equal((await running).status, 200);
  await stopping;
});
