import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startGateway, startUpstream } from './gateway.testing.ts';

async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  let text = '';
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
  });
  socket.setTimeout(200, () => socket.destroy());
  // Not `once`, which rejects when the connection is reset.
  await new Promise(resolve => socket.once('close', resolve));
  return text;
}

const hidden = 'GET /internal/hidden HTTP/1.1\r\nHost: x\r\n\r\n';
const head = (method: string, more: string, path = '/api/products') =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\n${more}`;
const chunked = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
const length = `Content-Length: ${hidden.length}\r\n`;

const attempts: [name: string, bytes: string][] = [
  ['both lengths', `${head('POST', `${length}Transfer-Encoding: chunked\r\n`)}\r\n0\r\n\r\n${hidden}`],
  ['a dropped Content-Length', `${head('POST', `${length}Connection: content-length\r\n`)}\r\n${hidden}`],
  ['a dropped Content-Length of DELETE', `${head('DELETE', `${length}Connection: content-length\r\n`)}\r\n${hidden}`],
  [
    'a dropped Transfer-Encoding',
    `${head('DELETE', 'Transfer-Encoding: chunked\r\nConnection: transfer-encoding\r\n')}\r\n${chunked}`,
  ],
  ['a chunked DELETE', `${head('DELETE', 'Transfer-Encoding: chunked\r\n')}\r\n${chunked}`],
  ['a chunked GET', `${head('GET', 'Transfer-Encoding: chunked\r\n')}\r\n${chunked}`],
  ['a GET with a body', `${head('GET', length)}\r\n${hidden}`],
  ['a HEAD with a body', `${head('HEAD', length)}\r\n${hidden}`],
  ['a chunked import', `${head('POST', 'Transfer-Encoding: chunked\r\n', '/api/products/import')}\r\n${chunked}`],
  ['a chunked export', `${head('GET', 'Transfer-Encoding: chunked\r\n', '/api/products/export')}\r\n${chunked}`],
  ['an upgrade', `${head('GET', 'Connection: Upgrade\r\nUpgrade: websocket\r\n')}\r\n${hidden}`],
  ['an h2c upgrade', `${head('GET', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n')}\r\n`],
  ['Expect', `${head('POST', `${length}Expect: 100-continue\r\n`)}\r\n${hidden}`],
  ['a line break in the query', head('GET', '\r\n', '/api/products?x=%0d%0aHost:%20y')],
  ['an absolute address', head('GET', '\r\n', 'http://x/internal/hidden')],
];

for (const [name, bytes] of attempts) {
  test(`${name} hides no second request`, async t => {
    const upstream = await startUpstream(t, (request, response) => {
      request.resume().on('end', () => response.end('ok'));
    });
    const { port, send } = await startGateway(t, { 'product-service': upstream.url });
    await exchange(port, bytes);
    assert.ok(!upstream.seen.some(line => line.includes('hidden')), upstream.seen.join());
    assert.equal((await send('GET', '/api/products/after')).body, 'ok');
    assert.ok(!upstream.seen.some(line => line.includes('hidden')), upstream.seen.join());
  });
}

test('no spelling of a path reaches what is internal', async t => {
  const upstream = await startUpstream(t, (_request, response) => response.end('reached'));
  const { port } = await startGateway(t, { 'product-service': upstream.url, 'payment-service': upstream.url });
  const spellings = [
    '/internal/charges',
    '//internal/charges',
    '/api/products/../../internal/charges',
    '/api/products/..%2f..%2finternal/charges',
    '/api/products/%2e%2e/%2e%2e/internal/charges',
    '/api/products/%252e%252e/internal',
    '/api/products/..;/internal',
    '/api/payments/..\\internal',
    '/api/products//internal',
    '/INTERNAL/charges',
    '/internal;x/charges',
    '/internal%2fcharges',
    '/%69nternal/charges',
    '/metrics',
    '/api/../metrics',
  ];
  for (const path of spellings) {
    const answer = await exchange(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const status = Number(answer.slice(9, 12));
    assert.deepEqual(upstream.seen, [], path);
    assert.ok([400, 404].includes(status), `${path}: ${answer.slice(0, 20)}`);
  }
});
