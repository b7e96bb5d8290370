import assert from 'node:assert/strict';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import mongoose from 'mongoose';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { createLogger } from '../logger.ts';
import { type Listener, listen } from './listener.ts';
import { get, operation, post, reply } from './route.ts';
import { createHttpApp } from './server.ts';

const orderId = '01995f6e-7a1c-7000-8000-5d2f3c6b7a19';

/** An application that logs into `lines`. */
async function start(t: { after(work: () => Promise<void>): void }) {
  const lines: Record<string, unknown>[] = [];
  const connection = mongoose.createConnection();
  const things = connection.model('Thing', new mongoose.Schema({}, { bufferCommands: false, autoCreate: false }));
  const op = operation({ id: 'x', summary: 'x', tag: 'x', answers: { 200: { description: 'x' } } });
  const byOrder = operation({ ...op, params: z.object({ orderId: z.string() }) });
  const routes = [
    get('/api/orders/:id', 'public', { ...op, query: z.object({ email: z.string() }) }, async ({ logger }) => {
      logger.info({ step: 1 }, 'inside');
      return reply(200, {});
    }),
    post('/internal/reservations/:orderId/pin', 'public', byOrder, async () => reply(200, {})),
    get('/api/things', 'public', op, async () => reply(200, { found: await things.find() })),
    get('/api/broken', 'public', op, async () => {
      throw new TypeError('ours');
    }),
    get('/api/away', 'public', op, async () => {
      throw new AppError('service_unavailable', { cause: new Error('connect ECONNREFUSED') });
    }),
  ];
  const nobody = () => Promise.reject(new AppError('unauthenticated'));
  const app = createHttpApp({
    ...{ routes, registry: new Registry(), metrics: true, verify: { user: nobody, service: nobody } },
    logger: createLogger('test-service', 'info', { write: line => void lines.push(JSON.parse(line)) }),
    health: { service: 'x', version: '1', startedAt: new Date(), isReady: () => true, required: {}, optional: {} },
  });
  const listener: Listener = await listen(app, { port: 0, host: '127.0.0.1' });
  t.after(() => listener.close(0));
  const port = (listener.server.address() as AddressInfo).port;
  return {
    port,
    /** Sends a request; answers the response and the lines that it made. */
    async ask(path: string, init: RequestInit = {}) {
      lines.length = 0;
      const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
      const body = (await response.json().catch(() => undefined)) as Record<string, unknown> | undefined;
      while (!lines.some(line => line.msg === 'request')) await new Promise(resolve => setImmediate(resolve));
      return { response, body, lines: lines.map(({ time, ...line }) => line) };
    },
  };
}

test('a request is one line, and all lines written for it name request, trace and order', async t => {
  const app = await start(t);
  const { response, lines } = await app.ask(`/api/orders/${orderId}?email=hush@example.com`);
  const ids = {
    service: 'test-service',
    requestId: response.headers.get('x-request-id'),
    traceId: response.headers.get('x-trace-id'),
    orderId,
  };
  const [inside, request, ...others] = lines;
  assert.deepEqual(inside, { level: 'info', ...ids, step: 1, msg: 'inside' });
  const { durationMs, ...line } = request ?? {};
  assert.equal(typeof durationMs, 'number');
  assert.deepEqual(line, {
    ...{ level: 'info', ...ids, method: 'GET', path: `/api/orders/${orderId}`, status: 200, msg: 'request' },
  });
  assert.deepEqual(others, []);
  const internal = await app.ask(`/internal/reservations/${orderId}/pin`, { method: 'POST' });
  assert.equal(internal.lines.at(-1)?.orderId, orderId);
});

test('a path is logged by its known words and ids; what else a client writes into it is masked', async t => {
  const app = await start(t);
  const paths: [string, string][] = [
    ['/api/orders/hush@example.com', '/api/orders/[redacted]'],
    ['/api/hush/orders', '/api/[redacted]/orders'],
    [`/internal/reservations/${orderId}/hush`, `/internal/reservations/${orderId}/[redacted]`],
    ['/hush%2Fhush', '/[redacted]'],
    [`/${'a/'.repeat(500)}hush`, `/${'[redacted]/'.repeat(11)}…`],
  ];
  for (const [path, shown] of paths) {
    const { lines } = await app.ask(path);
    assert.equal(lines.at(-1)?.path, shown);
    assert.doesNotMatch(JSON.stringify(lines), /hush/);
  }
});

test('a database that is not connected yet is a 503 and a warning without a stack, what is our fault an error with one', async t => {
  const app = await start(t);
  for (const path of ['/api/things', '/api/away']) {
    const { response, body, lines } = await app.ask(path);
    assert.deepEqual([response.status, body?.code], [503, 'service_unavailable']);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        ['warn', 'request failed'],
        ['warn', 'request'],
      ],
    );
    assert.equal(lines[0]?.traceId, body?.traceId);
    assert.doesNotMatch(JSON.stringify(lines), /\.ts:\d+|"stack"/);
  }
  const { response, lines } = await app.ask('/api/broken');
  assert.equal(response.status, 500);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['error', 'error'],
  );
  assert.match(JSON.stringify(lines[0]), /"stack":"TypeError: ours.*logging\.int\.test\.ts/);
});

test('what the parser refuses is answered with a trace id, in head and body', async t => {
  const app = await start(t);
  for (const bytes of ['NONSENSE\r\n\r\n', 'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n']) {
    const text = await new Promise<string>((resolve, reject) => {
      let received = '';
      const socket = connect(app.port, '127.0.0.1', () => socket.write(bytes));
      socket.on('data', chunk => {
        received += chunk;
      });
      socket.once('close', () => resolve(received)).once('error', reject);
    });
    const [, traceId] = /^x-trace-id: ([\da-f]{32})\r$/im.exec(text) ?? [];
    assert.ok(traceId, text);
    assert.equal(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).traceId, traceId);
  }
});
