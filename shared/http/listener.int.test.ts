import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ListenOptions, listen } from './listener.ts';

async function start(t: TestContext, handler: RequestListener, options: Partial<ListenOptions> = {}) {
  const listener = await listen(handler, { port: 0, host: '127.0.0.1', ...options });
  t.after(() => listener.close(100));
  return listener;
}

/** Waits for the end of a connection, however it ends: `once` would reject when it is reset. */
const closed = (socket: Socket): Promise<void> => new Promise(resolve => socket.once('close', () => resolve()));

/** Sends bytes as they are and collects everything until the server closes the connection. */
async function exchange(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  let text = '';
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
  });
  await closed(socket);
  return text;
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n';
const post = 'POST / HTTP/1.1\r\nHost: x\r\n';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

/** What must be refused, whatever follows it. */
const attacks: [name: string, bytes: string | Buffer, status: number][] = [
  [
    'Content-Length and Transfer-Encoding',
    `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX`,
    400,
  ],
  [
    'Transfer-Encoding and Content-Length',
    `${post}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX`,
    400,
  ],
  ['two Content-Lengths', `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
  ['two equal Content-Lengths', `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`, 400],
  ['a list of Content-Lengths', `${post}Content-Length: 1, 1\r\n\r\na`, 400],
  ['a negative Content-Length', `${post}Content-Length: -1\r\n\r\n`, 400],
  ['a signed Content-Length', `${post}Content-Length: +1\r\n\r\na`, 400],
  ['a hexadecimal Content-Length', `${post}Content-Length: 0x1\r\n\r\na`, 400],
  ['an unknown transfer coding', `${post}Transfer-Encoding: cow\r\n\r\n`, 400],
  ['chunked not last', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, 400],
  ['a coding before chunked', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 400],
  ['two Transfer-Encodings', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['Transfer-Encoding with a tab', `${post}Transfer-Encoding:\tchunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n`, 400],
  ['Transfer-Encoding in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['a space before the colon', `${get}X-A : 1\r\n\r\n`, 400],
  ['a folded header', `${get}X-A: 1\r\n 2\r\n\r\n`, 400],
  ['a bare line feed between headers', 'GET / HTTP/1.1\nHost: x\n\n', 400],
  ['a bare carriage return in a header', `${get}X-A: 1\rX-B: 2\r\n\r\n`, 400],
  ['a request of HTTP/0.9', 'GET /\r\n', 400],
  ['a fragment in the address', 'GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', `${get}Host: y\r\n\r\n`, 400],
  ['two equal Hosts', `${get}hOSt: x\r\n\r\n`, 400],
  ['a header of 17 KB', `${get}X-A: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
  ['an address of 17 KB', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ['101 headers', `${get}${'X: 1\r\n'.repeat(100)}\r\n`, 431],
  [
    'framing behind 100 headers',
    `DELETE / HTTP/1.1\r\nHost: x\r\n${'X: 1\r\n'.repeat(120)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    431,
  ],
  ['NUL in a header', `${get}X-A: a\0b\r\n\r\n`, 400],
  ['NUL in the address', 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['bytes over 127 in a name', Buffer.from(`${get}X-\xe4: 1\r\n\r\n`, 'latin1'), 400],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: x\r\n\r\n', 501],
  ['CONNECT', 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n', 501],
  ['an unknown method', 'HACK / HTTP/1.1\r\nHost: x\r\n\r\n', 501],
  ['an absolute address', 'GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['an address without slash', 'GET api HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['HTTP/3 in HTTP/1', 'GET / HTTP/3.0\r\nHost: x\r\n\r\n', 400],
  ['HTTP/2 without notice', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex'), 501],
  ['a bad chunk size', `${post}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`, 400],
  ['a chunk longer than it says', `${post}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`, 400],
];

for (const [name, bytes, status] of attacks) {
  test(`refuses ${name} with a problem and closes`, async t => {
    const served: string[] = [];
    const { port } = await start(t, (request, response) => {
      served.push(`${request.method} ${request.url}`);
      request.resume().on('end', () => response.end('served'));
    });
    const answer = await exchange(port, Buffer.concat([Buffer.from(bytes as string), Buffer.from(smuggled)]));
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), answer);
    assert.match(head, /\r\ncontent-type: application\/problem\+json/i);
    assert.match(head, /\r\nconnection: close/i);
    assert.match(head, /\r\nx-request-id: /i);
    assert.equal(JSON.parse(body).status, status);
    assert.ok(!served.includes('GET /smuggled'), served.join());
    assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, 'one answer only');
  });
}

test('takes requests that are odd but clear', async t => {
  const { port } = await start(t, (request, response) => {
    request.resume().on('end', () => response.end(request.method));
  });
  const close = 'Connection: close\r\n\r\n';
  for (const bytes of [
    `${get}${close}`,
    `GET / HTTP/1.0\r\n\r\n`,
    `${get}Expect: 200-maybe\r\n${close}`,
    `${post}Transfer-Encoding: Chunked\r\n${close}1;x=y\r\na\r\n0\r\nTrailer: 1\r\n\r\n`,
    `${get}${'X: 1\r\n'.repeat(98)}${close}`,
    `\r\n${get}${close}`,
  ]) {
    assert.match(await exchange(port, bytes), /^HTTP\/1\.1 200 /, bytes);
  }
});

test('never writes a problem into an answer that has begun', async t => {
  const { port } = await start(t, (_request, response) => {
    response.writeHead(200, { 'Content-Length': 1_000 });
    response.write('begun');
  });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}).write(`${get}\r\n`);
  let text = '';
  socket.on('data', chunk => {
    text += chunk;
    if (text.endsWith('begun')) socket.write('garbage\r\n\r\n');
  });
  await closed(socket);
  assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1);
  assert.ok(text.endsWith('begun'));
});

test('cuts clients off that send their head, or where that is limited their body, too slowly', async t => {
  const { port } = await start(t, request => request.resume(), { headersTimeoutMs: 300 });
  const limited = await start(t, request => request.resume(), { headersTimeoutMs: 300, requestTimeoutMs: 600 });
  for (const [at, bytes] of [
    [port, 'GET / HT'],
    [port, `${get}X-A: `],
    [limited.port, `${post}Content-Length: 10\r\n\r\nabc`],
  ] as const) {
    const answer = await exchange(at, bytes);
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /"code":"request_timeout"/);
  }
});

test('closes a connection whose body goes on after the answer, and keeps one whose body ends', async t => {
  const { port } = await start(t, (_request, response) => response.end('answered'));
  const endless = connect(port, '127.0.0.1');
  endless.on('error', () => {}).write(`${post}Transfer-Encoding: chunked\r\n\r\n`);
  const drip = setInterval(() => endless.write('1\r\na\r\n'), 50);
  await closed(endless.resume());
  clearInterval(drip);

  const kept = connect(port, '127.0.0.1');
  t.after(() => kept.destroy());
  kept.write(`${post}Content-Length: 2\r\n\r\na`);
  await once(kept, 'data');
  kept.write(`b${get}Connection: close\r\n\r\n`);
  assert.match(String((await once(kept, 'data'))[0]), /^HTTP\/1\.1 200/);
});

test('outlives a handler that gives up in the middle of a body', async t => {
  const listener = await start(t, async (request, response) => {
    for await (const _ of request) break;
    response.end('enough');
  });
  assert.match(await exchange(listener.port, `${post}Content-Length: 9\r\n\r\nbegun`), /^HTTP\/1\.1 200/);
  assert.match(await exchange(listener.port, `${get}Connection: close\r\n\r\n`), /^HTTP\/1\.1 200/);
});

test('still takes connections when it leaves, each for one answer', async t => {
  const listener = await start(t, (_request, response) => response.end('good'));
  const kept = exchange(listener.port, `${get}\r\n`);
  listener.leave();
  for (const answer of [await exchange(listener.port, `${get}\r\n${get}\r\n`), await kept]) {
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n(.+\r\n)*Connection: close\r\n/i);
    assert.equal(answer.split('HTTP/1.1').length, 2);
  }
});

test('finishes what runs when it closes, says so, and cuts what is left', async t => {
  const held: (() => void)[] = [];
  const listener = await start(t, (_request, response) => held.push(() => response.end('done')));
  const idle = connect(listener.port, '127.0.0.1');
  idle.on('error', () => {});
  const running = exchange(listener.port, `${get}\r\n`);
  const stuck = exchange(listener.port, `${get}\r\n`);
  while (held.length < 2) await new Promise(resolve => setTimeout(resolve, 5));
  const closing = listener.close(300);
  held[0]?.();
  const answers = await Promise.all([running, stuck]);
  await closing;
  assert.deepEqual(answers.filter(Boolean).length, 1);
  assert.match(answers.join(''), /^HTTP\/1\.1 200 [\s\S]*done$/);
});

test('an answer that is given before the body turns out broken reaches the client', async t => {
  const { port } = await start(t, (_request, response) => {
    response.writeHead(405, { 'Content-Length': 2 }).write('no');
  });
  const answer = await exchange(port, `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 405 .*no$/s);
});
