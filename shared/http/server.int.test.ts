import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { createLogger } from '../logger.ts';
import { createRegistry } from '../observability/metrics.ts';
import { listen } from './listener.ts';
import { get, operation, post, type Route, reply } from './route.ts';
import { createHttpApp } from './server.ts';

const described = { summary: 'x', tag: 'x', answers: { 200: { description: 'x' } } };
const plain = (id: string) => operation({ id, ...described });

async function start(t: TestContext, routes: readonly Route[]) {
  const lines: Record<string, unknown>[] = [];
  const registry = createRegistry('test', { processMetrics: false });
  const verify = async (token: string) => {
    if (token === 'a.b.c') return { id: 'ada', role: 'customer' as const };
    throw new AppError('unauthenticated');
  };
  const app = createHttpApp({
    routes,
    verify: { user: verify, service: verify },
    logger: createLogger('test', 'info', { write: line => void lines.push(JSON.parse(line)) }),
    registry,
    health: {
      service: 'test',
      version: '1',
      startedAt: new Date(),
      isReady: () => true,
      required: {},
      optional: { part: () => ({ status: 'degraded' }) },
    },
    metrics: true,
  });
  const listener = await listen(app, { port: 0, host: '127.0.0.1' });
  t.after(() => listener.close(100));
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${listener.port}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
  return { port: listener.port, ask, lines, registry };
}

const json = { 'Content-Type': 'application/json' };
const echo = post(
  '/things',
  'public',
  operation({ id: 'echo', ...described, body: z.strictObject({ name: z.string() }) }),
  async ({ body }) => reply(201, body),
);

test('answers every wrong body with its own problem', async t => {
  const { ask, lines } = await start(t, [echo]);
  const cases: [number, string, RequestInit][] = [
    [201, '', { body: '{"name":"x"}', headers: json }],
    [400, 'malformed_json', { body: '{"name":', headers: json }],
    [400, 'malformed_json', { body: new Uint8Array([0x22, 0xff, 0x22]), headers: json }],
    [400, 'malformed_json', { body: '\ufeff{"name":"x"}', headers: json }],
    [400, 'invalid_request', { body: '{"name":"x","role":"admin"}', headers: json }],
    [400, 'invalid_request', { body: '[]', headers: json }],
    [400, 'invalid_request', {}],
    [415, 'unsupported_media_type', { body: '{}', headers: { 'Content-Type': 'text/plain' } }],
    [415, 'unsupported_media_type', { body: '{}', headers: { 'Content-Type': 'application/json; charset=utf-16' } }],
    [415, 'unsupported_media_type', { body: '{}', headers: { ...json, 'Content-Encoding': 'gzip' } }],
    [413, 'payload_too_large', { body: 'x'.repeat(100_001), headers: json }],
  ];
  for (const [status, code, init] of cases) {
    const answer = await ask('/things', { method: 'POST', ...init });
    assert.deepEqual([answer.status, answer.body.code ?? ''], [status, code], String(init.body).slice(0, 30));
    if (!code) continue;
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.equal(answer.body.requestId, answer.headers.get('x-request-id'));
    assert.equal(answer.body.instance, '/things');
  }
  assert.equal(lines.length, cases.length, 'one line for each request');
  assert.deepEqual(
    lines.map(line => line.code ?? ''),
    cases.map(([, code]) => code),
  );
});

test('a refusal reaches a client that is still sending, large or endless', async t => {
  const { ask, port } = await start(t, [echo]);
  for (let trial = 0; trial < 20; trial += 1) {
    const answer = await ask('/things', { method: 'POST', body: 'x'.repeat(2_000_000), headers: json });
    assert.equal(answer.status, 413);
    const unknown = await ask('/nothing', { method: 'POST', body: 'x'.repeat(2_000_000), headers: json });
    assert.equal(unknown.status, 404);
  }
  const endless = httpRequest({ port, path: '/things', method: 'POST', headers: json, agent: false });
  const pump = setInterval(() => endless.write('x'.repeat(10_000)), 1);
  endless.on('error', () => {});
  const [response] = (await once(endless, 'response')) as [IncomingMessage];
  response.resume();
  assert.equal(response.statusCode, 413);
  await new Promise(resolve => endless.once('close', resolve));
  clearInterval(pump);
});

test('knows paths in one spelling, their methods, and refuses a query that a route does not know', async t => {
  const { ask } = await start(t, [echo, get('/things/:id', 'public', plain('getThing'), async () => reply(200, {}))]);
  assert.equal((await ask('/Things/1')).body.code, 'not_found');
  assert.equal((await ask('/things/1?x=1')).body.errors[0].path, 'query.x');
  const wrong = await ask('/things', { method: 'DELETE' });
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST']);
  assert.equal((await ask('/things/1', { method: 'PUT' })).headers.get('allow'), 'GET, HEAD');
  assert.equal((await ask('/things/1', { headers: { Authorization: 'Bearer x.y.z' } })).status, 401);
  assert.equal((await ask('/things/1', { headers: { Authorization: 'Bearer a.b.c' } })).status, 200);
  assert.equal((await ask('/things/%')).status, 400);
});

test('an unexpected failure says nothing of its cause, and logs it once', async t => {
  const failing = get('/fail', 'public', plain('fail'), async () => {
    throw new Error('connection to db-7 lost');
  });
  const { ask, lines } = await start(t, [failing]);
  const { status, body } = await ask('/fail', { headers: { 'X-Request-Id': 'r-1' } });
  assert.deepEqual([status, body.code, body.requestId], [500, 'internal_error', 'r-1']);
  assert.doesNotMatch(JSON.stringify(body), /db-7|at .*\.ts/);
  const logged = lines.filter(line => JSON.stringify(line).includes('db-7'));
  assert.deepEqual(
    logged.map(line => [line.requestId, line.msg]),
    [['r-1', 'request failed']],
  );
  assert.deepEqual([lines.at(-1)?.status, lines.at(-1)?.code, lines.at(-1)?.msg], [500, 'internal_error', 'request']);
});

test('a request is logged with its path and code, without its query and header fields', async t => {
  const { ask, lines } = await start(t, [echo]);
  await ask('/things?access_token=hush', { headers: { Authorization: 'Bearer hush', Cookie: 'hush' } });
  assert.deepEqual([lines.at(-1)?.path, lines.at(-1)?.code], ['/things', 'method_not_allowed']);
  assert.ok(!JSON.stringify(lines).includes('hush'));
  const body = '{"name":"x"}';
  await ask('/things', { method: 'POST', headers: { ...json, Authorization: 'Bearer a.b.c' }, body });
  assert.deepEqual([lines.at(-1)?.status, lines.at(-1)?.actorId], [201, 'ada'], 'and with who asked');
  await ask('/things', { method: 'POST', headers: { ...json, Authorization: 'Bearer x.y.z' }, body });
  assert.deepEqual([lines.at(-1)?.code, lines.at(-1)?.actorId], ['unauthenticated', undefined]);
});

test('work that takes longer than the caller waits is 504', async t => {
  const slow = get('/slow', 'public', plain('slow'), () => new Promise(() => {}));
  const { ask } = await start(t, [slow]);
  const answer = await ask('/slow', { headers: { 'X-Request-Deadline': '50' } });
  assert.deepEqual([answer.status, answer.body.code], [504, 'upstream_timeout']);
});

test('a stream that fails in the middle never ends like a whole answer', async t => {
  const broken = get('/broken', 'public', plain('broken'), async () => ({
    status: 200,
    stream: Readable.from(
      (async function* () {
        yield 'begun';
        throw new Error('broken');
      })(),
    ),
  }));
  const { ask } = await start(t, [broken]);
  for (let trial = 0; trial < 20; trial += 1) await assert.rejects(ask('/broken'));
});

test('reports health, readiness and metrics by route template', async t => {
  const { ask } = await start(t, [get('/things/:id', 'public', plain('getThing'), async () => reply(200, {}))]);
  for (const id of ['1', '2']) await ask(`/things/${id}`);
  const health = await ask('/health');
  assert.deepEqual([health.status, health.body.status, health.body.checks.part.status], [200, 'degraded', 'degraded']);
  assert.deepEqual((await ask('/health/live')).body, { status: 'live', service: 'test' });
  assert.deepEqual((await ask('/health/ready')).body, { status: 'ready', service: 'test' });
  assert.match((await ask('/metrics')).body, /_count\{[^}]*route="\/things\/:id",status="200"\} 2/);
});

test('paths and methods that nobody knows make no series of their own', async t => {
  const { ask } = await start(t, [get('/things/:id', 'public', plain('getThing'), async () => reply(200, {}))]);
  const countSeries = async () => (await ask('/metrics')).body.match(/^http_request_duration_seconds_count/gm).length;
  for (const method of ['PROPFIND', 'GET']) for (const path of ['/nothing', '/things/1']) await ask(path, { method });
  const few = await countSeries();
  for (let n = 0; n < 20; n += 1) await ask(`/nothing/${n}`);
  for (const method of ['PROPFIND', 'LOCK', 'PURGE', 'REPORT', 'M-SEARCH']) {
    for (const path of ['/nothing', '/other', '/things/7']) await ask(path, { method });
  }
  const series = (await ask('/metrics')).body;
  // And that of /metrics itself, which was asked for before.
  assert.equal(await countSeries(), few + 1);
  assert.match(series, /_count\{[^}]*method="OTHER",route="unmatched",status="404"\} 11/);
  assert.match(series, /_count\{[^}]*method="OTHER",route="\/things\/:id",status="405"\} 6/);
});
