import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { systemClock } from '../clock.ts';
import { withContext } from '../context.ts';
import { type ServiceName, serviceNames, staticDiscovery } from '../discovery.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { createRegistry, type Registry } from '../observability/metrics.ts';
import { type Callee, startCallee } from '../testing/callee.ts';
import { createServiceTokenSigner, createServiceTokenVerifier } from './auth.ts';
import { type Call, createServiceClient } from './client.ts';

const secret = randomBytes(32).toString('hex');
const anything = z.looseObject({});
const get: Call = { method: 'get', path: '/internal/thing', repeatable: true };
const once: Call = { method: 'post', path: '/internal/thing', body: { n: 1 }, repeatable: false };

function clientOf(...urls: string[]) {
  return measuredClientOf(undefined, ...urls);
}

function measuredClientOf(registry: Registry | undefined, ...urls: string[]) {
  const addresses = Object.fromEntries(serviceNames.map(name => [name, urls])) as Record<ServiceName, string[]>;
  return createServiceClient({
    callee: 'inventory-service',
    discovery: staticDiscovery(addresses),
    signToken: createServiceTokenSigner('order-service', secret, systemClock),
    random: Math.random,
    ...(registry ? { registry } : {}),
  });
}

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
const ok: RequestListener = (_request, response) => json(response, 200, { ok: true });
const fails: RequestListener = (_request, response) => json(response, 503, { code: 'service_unavailable' });
const hangs: RequestListener = () => {};

async function codeOf(work: Promise<unknown>): Promise<ErrorCode> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AppError, String(error));
  return error.code;
}

const deadlinesOf = (callee: Callee) => callee.seen.map(request => Number(request.headers['x-request-deadline']));
/** A port where nobody listens. */
const nowhere = 'http://127.0.0.1:9';

test('calls share a connection', async t => {
  const callee = await startCallee(t, ok);
  const client = clientOf(callee.url);
  for (let n = 0; n < 5; n += 1)
    assert.deepEqual(await client.call(get, anything), { status: 200, body: { ok: true } });
  assert.equal(callee.connections, 1);
});

test('a call says who calls, for which request and trace, and until when somebody waits', async t => {
  const callee = await startCallee(t, ok);
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await withContext({ requestId: 'r-1', traceparent, deadline: Date.now() + 500 }, () =>
    clientOf(callee.url).call(get, anything),
  );
  const { headers } = callee.seen[0]!;
  const verify = createServiceTokenVerifier('inventory-service', secret);
  const actor = await verify(String(headers.authorization).replace('Bearer ', ''));
  assert.deepEqual(actor, { id: 'order-service', role: 'service' });
  assert.equal(headers['x-request-id'], 'r-1');
  assert.equal(headers.traceparent, traceparent);
  const [deadline] = deadlinesOf(callee);
  assert.ok(deadline! > 0 && deadline! <= 500, `${deadline}`);
});

describe('time', () => {
  test('that is over sends nothing', async t => {
    const callee = await startCallee(t, ok);
    const context = { requestId: 'r', traceparent: '', deadline: Date.now() - 1 };
    assert.equal(
      await codeOf(withContext(context, () => clientOf(callee.url).call(get, anything))),
      'upstream_timeout',
    );
    assert.equal(callee.seen.length, 0);
  });

  test('that a callee lets pass is upstream_timeout', async t => {
    const callee = await startCallee(t, hangs);
    assert.equal(await codeOf(clientOf(callee.url).call({ ...get, timeoutMs: 200 }, anything)), 'upstream_timeout');
  });

  test('is over for a body that drips, too', async t => {
    const callee = await startCallee(t, (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(drip));
    });
    assert.equal(await codeOf(clientOf(callee.url).call({ ...get, timeoutMs: 300 }, anything)), 'upstream_timeout');
  });

  test('shrinks from try to try', async t => {
    const callee = await startCallee(t, hangs);
    const call = { ...get, timeoutMs: 1_000, tryTimeoutMs: 400 };
    await codeOf(clientOf(callee.url).call(call, anything));
    const deadlines = deadlinesOf(callee);
    assert.ok(deadlines.length >= 2, `${deadlines}`);
    assert.equal(deadlines[0], 400);
    assert.ok(deadlines.at(-1)! <= 400);
    assert.ok(deadlines.reduce((sum, ms) => sum + ms, 0) <= 1_000 + deadlines.length, `${deadlines}`);
  });
});

describe('tries', () => {
  test('follow a failure that may pass, three in all', async t => {
    for (const status of [429, 502, 503, 504]) {
      const callee = await startCallee(t, (_request, response) =>
        json(response, callee.seen.length < 3 ? status : 200, {}),
      );
      assert.equal((await clientOf(callee.url).call(get, anything)).status, 200);
      assert.equal(callee.seen.length, 3);
    }
    const callee = await startCallee(t, fails);
    assert.equal(await codeOf(clientOf(callee.url).call(get, anything)), 'service_unavailable');
    assert.equal(callee.seen.length, 3);
  });

  test('follow a lost answer only where repeating is safe', async t => {
    const callee = await startCallee(t, request => request.socket.destroy());
    const client = clientOf(callee.url);
    assert.equal(await codeOf(client.call(once, anything)), 'service_unavailable');
    assert.equal(callee.seen.length, 1);
    assert.equal(await codeOf(client.call({ ...once, repeatable: true }, anything)), 'service_unavailable');
    assert.equal(callee.seen.length, 4);
  });

  test('follow nothing that another try would not change', async t => {
    for (const status of [400, 404, 409, 500, 501]) {
      const callee = await startCallee(t, (_request, response) => json(response, status, {}));
      await codeOf(clientOf(callee.url).call(get, anything));
      assert.equal(callee.seen.length, 1, `${status}`);
    }
  });

  test('go to another instance, at once where nothing was sent, whatever is called', async t => {
    const callee = await startCallee(t, ok);
    for (const call of [get, once]) {
      const client = clientOf(nowhere, callee.url);
      for (let n = 0; n < 40; n += 1) assert.equal((await client.call(call, anything)).status, 200);
    }
    assert.equal(callee.seen.length, 80);
  });

  test('leave an instance that hangs in time for another, which is preferred from then on', async t => {
    const [deaf, well] = [await startCallee(t, hangs), await startCallee(t, ok)];
    const client = clientOf(deaf.url, well.url);
    for (let n = 0; n < 10; n += 1) {
      assert.equal((await client.call({ ...get, timeoutMs: 600 }, anything)).status, 200);
    }
    assert.deepEqual([deaf.seen.length, well.seen.length], [1, 10]);
  });

  test('wait as long as Retry-After says, and are left out when that is too long', async t => {
    const at: number[] = [];
    const callee = await startCallee(t, (_request, response) => {
      at.push(performance.now());
      json(response, at.length === 1 ? 503 : 200, {}, { 'Retry-After': '1' });
    });
    assert.equal((await clientOf(callee.url).call(get, anything)).status, 200);
    assert.ok(at[1]! - at[0]! >= 990, `${at}`);

    const slow = await startCallee(t, (_request, response) => json(response, 503, {}, { 'Retry-After': '10' }));
    assert.equal(await codeOf(clientOf(slow.url).call(get, anything)), 'service_unavailable');
    assert.equal(slow.seen.length, 1);
  });

  test('do not multiply the load on a callee that fails', async t => {
    const callee = await startCallee(t, (_request, response) => {
      // Half of them, so that the breaker stays closed.
      json(response, callee.seen.length % 2 === 0 ? 503 : 200, {});
    });
    const client = clientOf(callee.url);
    for (let n = 0; n < 300; n += 1) await client.call(get, anything).catch(() => {});
    // 20 saved ones and a tenth of the calls; what a second adds depends on the machine, so half as many again.
    assert.ok(callee.seen.length <= 300 + 20 + 30 + 25, `${callee.seen.length}`);
  });
});

test('the breaker opens after 20 failures and answers for the callee', async t => {
  const callee = await startCallee(t, fails);
  const client = clientOf(callee.url);
  for (let n = 0; n < 20; n += 1) await codeOf(client.call(once, anything));
  const seen = callee.seen.length;
  assert.equal(seen, 20);
  assert.equal(await codeOf(client.call(once, anything)), 'service_unavailable');
  assert.equal(callee.seen.length, seen);
});

test('calls are measured by callee and outcome, and the breaker is shown', async t => {
  const registry = createRegistry('order-service', { processMetrics: false });
  const callee = await startCallee(t, (request, response) =>
    (request.method === 'GET' ? ok : fails)(request, response),
  );
  const client = measuredClientOf(registry, callee.url);
  const shows = async (...lines: string[]) => {
    const text = await registry.metrics();
    for (const line of lines) assert.match(text, new RegExp(`^service_client_${line}$`, 'm'));
  };
  const [own, total] = ['callee="inventory-service",service="order-service"', 'callee="inventory-service",outcome='];
  const calls = (outcome: string, count: number) =>
    `calls_total{${total}"${outcome}",service="order-service"} ${count}`;
  await shows(calls('answered', 0), calls('unavailable', 0), `breaker_open{${own}} 0`, `retries_total{${own}} 0`);
  await client.call(get, anything);
  await codeOf(client.call({ ...once, repeatable: true }, anything));
  await shows(calls('answered', 1), calls('unavailable', 1), `retries_total{${own}} 2`);
  for (let n = 0; n < 30; n += 1) await codeOf(client.call(once, anything));
  await shows(`breaker_open{${own}} 1`, 'duration_seconds_count{.*} 20');
  assert.match(await registry.metrics(), /outcome="refused_by_breaker",service="order-service"\} [1-9]/);
  // Another client of the process has the same metrics.
  measuredClientOf(registry, callee.url);
});

test('refusals do not open the breaker', async t => {
  const callee = await startCallee(t, (_request, response) => json(response, 409, { code: 'insufficient_stock' }));
  const client = clientOf(callee.url);
  for (let n = 0; n < 40; n += 1) assert.equal(await codeOf(client.call(once, anything)), 'insufficient_stock');
  assert.equal(callee.seen.length, 40);
});

describe('an answer', () => {
  test('that is a problem becomes an error with its code, text and members', async t => {
    const shortages = [{ productId: 'p', requested: 2, available: 1 }];
    const problem = {
      type: 'about:blank',
      title: 'x',
      status: 409,
      code: 'insufficient_stock',
      detail: 'no',
      shortages,
    };
    const callee = await startCallee(t, (_request, response) => json(response, 409, problem));
    await assert.rejects(clientOf(callee.url).call(get, anything), (error: AppError) => {
      assert.deepEqual([error.code, error.status, error.message], ['insufficient_stock', 409, 'no']);
      assert.deepEqual(error.extras.members, { shortages });
      return true;
    });
  });

  for (const [what, status, body, code] of [
    ['with a code that nobody knows', 418, { code: 'teapot' }, 'internal_error'],
    ['that refuses our token', 401, { code: 'unauthenticated' }, 'internal_error'],
    ['that is no problem document', 400, 'oh no', 'internal_error'],
    ['that does not fit its schema', 200, [], 'service_unavailable'],
    ['that sends us elsewhere', 302, {}, 'service_unavailable'],
  ] as const) {
    test(`${what} is ${code}`, async t => {
      const callee = await startCallee(t, (_request, response) =>
        json(response, status, body, status === 302 ? { Location: '/internal/other' } : {}),
      );
      assert.equal(await codeOf(clientOf(callee.url).call(get, z.object({ ok: z.literal(true) }))), code);
      assert.equal(callee.seen.length, 1);
    });
  }

  test('of more than 4 MiB is not read to its end, nor asked for again', async t => {
    const callee = await startCallee(t, (_request, response) => json(response, 200, { text: 'x'.repeat(5 * 2 ** 20) }));
    assert.equal(await codeOf(clientOf(callee.url).call(get, anything)), 'service_unavailable');
    assert.equal(callee.seen.length, 1);
  });
});

test('no path leads to another server', async t => {
  const [callee, other] = [await startCallee(t, ok), await startCallee(t, ok)];
  for (const path of [`${other.url}/x`, `//${other.url.slice(7)}/x`]) {
    await clientOf(callee.url).call({ ...get, path }, anything);
  }
  await sleep(20);
  assert.deepEqual([callee.seen.length, other.seen.length], [2, 0]);
});
