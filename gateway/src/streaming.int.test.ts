import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway, startUpstream, until } from './gateway.testing.ts';

const block = randomBytes(64 * 1024);
const blocks = 640;
const wholeHash = (() => {
  const hash = createHash('sha256');
  for (let count = 0; count < blocks; count += 1) hash.update(block);
  return hash.digest('hex');
})();

async function writeAll(to: { write(chunk: Buffer): boolean; once(event: 'drain', then: () => void): unknown }) {
  for (let count = 0; count < blocks; count += 1) {
    if (!to.write(block)) await new Promise<void>(resolve => to.once('drain', resolve));
  }
}

const responseOf = async (call: ClientRequest): Promise<IncomingMessage> => (await once(call, 'response'))[0];

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += chunk;
  return text;
}

test('a large file goes up and another comes down, byte for byte', async t => {
  const upstream = await startUpstream(t, async (request, response) => {
    if (request.method === 'GET') {
      await writeAll(response);
      response.end();
      return;
    }
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk);
    response.end(hash.digest('hex'));
  });
  const { port } = await startGateway(t, { 'product-service': upstream.url });
  const up = httpRequest({ port, path: '/api/products/import', method: 'POST', agent: false });
  await writeAll(up);
  up.end();
  assert.equal(await textOf(await responseOf(up)), wholeHash);

  const down = httpRequest({ port, path: '/api/products/export', agent: false }).end();
  const hash = createHash('sha256');
  for await (const chunk of await responseOf(down)) hash.update(chunk);
  assert.equal(hash.digest('hex'), wholeHash);
});

test('a client that does not read holds the service back instead of filling the memory', async t => {
  let written = 0;
  const upstream = await startUpstream(t, async (_request, response) => {
    for (; written < blocks; written += 1) {
      if (!response.write(block)) await new Promise<void>(resolve => response.once('drain', resolve));
    }
    response.end();
  });
  const { port } = await startGateway(t, { 'product-service': upstream.url });
  const call = httpRequest({ port, path: '/api/products/export', agent: false }).end();
  const response = await responseOf(call);
  for (let before = -1; before !== written; await sleep(300)) before = written;
  assert.ok(written < blocks / 2, `${written} of ${blocks} blocks were taken`);
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  assert.equal(bytes, blocks * block.length);
});

test('a service that does not read holds the client back', async t => {
  let go: (() => void) | undefined;
  const upstream = await startUpstream(t, (request, response) => {
    go = () => {
      request.resume();
      request.once('end', () => response.end('all'));
    };
  });
  const { port } = await startGateway(t, { 'product-service': upstream.url });
  const call = httpRequest({ port, path: '/api/products/import', method: 'POST', agent: false });
  let sent = 0;
  const sending = (async () => {
    for (; sent < blocks; sent += 1) if (!call.write(block)) await once(call, 'drain');
    call.end();
  })();
  await until(() => go !== undefined);
  for (let before = -1; before !== sent; await sleep(300)) before = sent;
  assert.ok(sent < blocks / 2, `${sent} of ${blocks} blocks were taken`);
  go?.();
  await sending;
  assert.equal(await textOf(await responseOf(call)), 'all');
});

test('pieces pass as they come, in both directions', async t => {
  const upstream = await startUpstream(t, (request, response) => {
    request.on('data', chunk => response.write(`heard ${chunk}`));
    request.on('end', () => response.end());
  });
  const { port } = await startGateway(t, { 'product-service': upstream.url });
  const call = httpRequest({ port, path: '/api/products/import', method: 'POST', agent: false });
  call.write('one');
  const response = await responseOf(call);
  assert.equal(String((await once(response, 'data'))[0]), 'heard one');
  call.end('two');
  assert.equal(String((await once(response, 'data'))[0]), 'heard two');
});

test('a stream that stands still is ended, one that goes on slowly is not', async t => {
  const upstream = await startUpstream(t, (request, response) => {
    request.resume();
    request.once('end', () => response.end('all'));
  });
  const { port } = await startGateway(t, { 'product-service': upstream.url }, { STREAM_IDLE_MS: 300 });
  const start = () => httpRequest({ port, path: '/api/products/import', method: 'POST', agent: false });
  const slow = start();
  for (let count = 0; count < 8; count += 1) {
    slow.write('x');
    await sleep(100);
  }
  slow.end();
  assert.equal(await textOf(await responseOf(slow)), 'all');
  const still = start();
  still.on('error', () => {});
  still.write('x');
  const response = await responseOf(still);
  assert.equal(response.statusCode, 408);
  assert.equal(JSON.parse(await textOf(response)).code, 'request_timeout');
});

test('a body over 100 kB is 413 and reaches no service; an import may be larger', async t => {
  const upstream = await startUpstream(t, (request, response) => {
    request.resume();
    request.once('end', () => response.end('ok'));
  });
  const { port, send } = await startGateway(t, { 'product-service': upstream.url });
  const large = 'x'.repeat(100_001);
  for (let trial = 0; trial < 10; trial += 1) {
    const answer = await send('POST', '/api/products', { body: large });
    assert.deepEqual([answer.status, answer.body.code], [413, 'payload_too_large']);
  }
  const endless = httpRequest({ port, path: '/api/products', method: 'POST', agent: false });
  endless.on('error', () => {});
  const pump = setInterval(() => endless.write(block), 1);
  const response = await responseOf(endless);
  assert.equal(response.statusCode, 413);
  assert.equal(JSON.parse(await textOf(response)).code, 'payload_too_large');
  clearInterval(pump);
  assert.deepEqual(upstream.seen, []);
  assert.equal((await send('POST', '/api/products', { body: 'x'.repeat(100_000) })).body, 'ok');
  assert.equal((await send('POST', '/api/products/import', { body: large })).body, 'ok');
});

test('a body that comes too slowly is 408 and holds no connection to the service', async t => {
  const upstream = await startUpstream(t, (_request, response) => response.end('ok'));
  const { port, send } = await startGateway(t, { 'product-service': upstream.url }, { BODY_TIMEOUT_MS: 300 });
  const slow = Array.from({ length: 100 }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /api/products HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{');
    return socket;
  });
  const answers = slow.map(async socket => {
    let text = '';
    for await (const chunk of socket) text += chunk;
    return text.split('\r\n', 1)[0];
  });
  assert.equal((await send('GET', '/api/products')).body, 'ok');
  assert.deepEqual(new Set(await Promise.all(answers)), new Set(['HTTP/1.1 408 Request Timeout']));
  assert.deepEqual(upstream.seen, ['GET /api/products']);
});
