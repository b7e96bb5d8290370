import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { GatewayDependencies } from './app.ts';
import { startGateway, startUpstream, until } from './gateway.testing.ts';

const minute = 60_000;

/** A gateway in front of a catalogue whose answers carry a number that grows with each request that reaches it. */
async function start(t: TestContext, answer?: RequestListener, config = {}) {
  let answered = 0;
  const upstream = await startUpstream(t, (request, response) => {
    // The gateway's own look at the services' health comes here too.
    if (!request.url?.startsWith('/api/')) return response.end();
    if (answer) return answer(request, response);
    answered += 1;
    response.setHeader('Content-Type', 'application/json').setHeader('ETag', `"${answered}"`);
    response.setHeader('Cache-Control', 'public, no-cache').end(JSON.stringify({ answered }));
  });
  let listener: Parameters<GatewayDependencies['bus']['listen']>[0] | undefined;
  const bus: GatewayDependencies['bus'] & { isUp: boolean } = {
    isUp: true,
    status: () => (bus.isUp ? 'up' : 'down'),
    async listen(given) {
      listener = given as unknown as typeof listener;
      return { stop: async () => {} };
    },
  };
  const gateway = await startGateway(t, { 'product-service': upstream.url }, { CACHE_MS: minute, ...config }, bus);
  await gateway.gateway.start();
  await until(() => listener !== undefined);
  const seen = () => upstream.seen.filter(one => one.includes('/api/'));
  return {
    ...{ ...gateway, bus, seen },
    hear: () => listener?.handle({} as never),
    miss: () => listener?.onGap?.(),
    get: (path: string, headers?: Record<string, string>) => gateway.send('GET', path, headers ? { headers } : {}),
  };
}

test('a read of the catalogue is answered from memory, as the service answered it', async t => {
  const { get, send, seen, metric } = await start(t);
  const first = await get('/api/products?search=lantern');
  const again = await get('/api/products?search=lantern');
  assert.deepEqual([again.status, again.body], [200, { answered: 1 }]);
  for (const name of ['content-type', 'etag', 'cache-control'])
    assert.equal(again.headers.get(name), first.headers.get(name), name);
  assert.notEqual(again.headers.get('x-request-id'), first.headers.get('x-request-id'));
  const head = await send('HEAD', '/api/products?search=lantern');
  assert.deepEqual([head.status, head.headers.get('etag')], [200, '"1"']);
  assert.equal(seen().length, 1);
  assert.deepEqual((await get('/api/products?search=lamp')).body, { answered: 2 });
  assert.deepEqual([await metric('gateway_cache_reads_total', { result: 'hit' })], [2]);
});

test('who has the answer is told that it is still right', async t => {
  const { get } = await start(t);
  await get('/api/products/1');
  const answer = await get('/api/products/1', { 'If-None-Match': 'W/"1"' });
  assert.deepEqual([answer.status, answer.body, answer.headers.get('etag')], [304, '', '"1"']);
  assert.equal((await get('/api/products/1', { 'If-None-Match': '"0"' })).status, 200);
});

test('everything is forgotten when a product changes, when messages were missed, and when a change passes by', async t => {
  const { get, send, hear, miss } = await start(t);
  const now = async () => (await get('/api/products/1')).body.answered as number;
  assert.equal(await now(), 1);
  await hear();
  assert.equal(await now(), 2);
  assert.equal(await now(), 2);
  await miss();
  assert.equal(await now(), 3);
  for (const [method, path] of [
    ['PATCH', '/api/products/1'],
    ['DELETE', '/api/products/2'],
    ['POST', '/api/products'],
  ] as const) {
    const { answered } = (await send(method, path, { body: {} })).body;
    assert.equal(await now(), answered + 1, `${method} ${path}`);
  }
});

test('what was fetched before a change is not kept after it', async t => {
  let go = (): void => {};
  let count = 0;
  const { get, hear } = await start(t, (_request, response) => {
    count += 1;
    response.setHeader('Content-Type', 'application/json').setHeader('ETag', `"${count}"`).write(String(count));
    if (count === 1) go = () => response.end();
    else response.end();
  });
  const slow = get('/api/products/1');
  await until(() => count === 1);
  await hear();
  go();
  assert.equal((await slow).body, 1);
  assert.equal((await get('/api/products/1')).body, 2);
});

test('nothing is answered from memory while the bus is away', async t => {
  const { get, bus, seen } = await start(t);
  await get('/api/products/1');
  bus.isUp = false;
  await get('/api/products/1');
  await get('/api/products/1');
  assert.equal(seen().length, 3);
});

test('an answer is not older than the setting says', async t => {
  const { get, seen } = await start(t, undefined, { CACHE_MS: 1 });
  await get('/api/products/1');
  await until(async () => {
    await get('/api/products/1');
    return seen().length > 1;
  });
});

test('only whole good answers of the catalogue are kept', async t => {
  const { get, seen } = await start(t, (request, response) => {
    const { url = '' } = request;
    if (!url.includes('untagged')) response.setHeader('ETag', '"1"');
    if (url.includes('missing')) response.statusCode = 404;
    if (url.includes('broken')) {
      response.setHeader('Content-Length', '100').write('half');
      setImmediate(() => response.destroy());
    } else response.end('x'.repeat(url.includes('large') ? 300_000 : 3));
  });
  for (const path of ['untagged', 'missing', 'large', 'export']) {
    await get(`/api/products/${path}`);
    await get(`/api/products/${path}`);
    assert.equal(seen().filter(one => one.includes(path)).length, 2, path);
  }
  await assert.rejects(get('/api/products/broken'));
  await assert.rejects(get('/api/products/broken'));
});
