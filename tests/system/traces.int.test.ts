import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { startOtlpReceiver } from '@tradepost/shared/testing/otlpReceiver';
import { send } from '../api/send.ts';
import { startChildShop } from './childShop.ts';
import { assertSound, isWholeConfirmed, isWholeDeclined, ofConfirmed, ofDeclined } from './orderTraces.ts';
import { eventually } from './testShop.ts';

const receiver = await startOtlpReceiver();
after(() => receiver.close());

/** Everything that a client says and no span may repeat. */
const said = {
  name: 'Wilhelmina',
  email: 'wilhelmina.quux@example.com',
  password: 'vexing-zephyr-password',
  line1: '77 Quixotic Lane',
  city: 'Zzyzxville',
  postcode: 'QX9 9ZZ',
  search: 'teapot xylophonic',
  card: 'tok_visa',
  declined: 'tok_declined',
  key: 'key-jackdaw',
};
const admin = { email: 'admin.sphinx@example.com', password: 'sphinx-of-black-quartz' };
const shop = startChildShop(
  {
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
    ...{ ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password },
  },
  ['--memory'],
);
const url = await shop.ready();
const ask = (method: string, path: string, options?: Parameters<typeof send>[3]) => send(url, method, path, options);
const registered = await ask('POST', '/api/users/register', {
  body: { email: said.email, password: said.password, name: said.name },
});
const token: string = registered.body.accessToken;
const teapot = (await ask('GET', '/api/products?sku=KIT-TEAPOT')).body.items[0].id;
const address = { name: said.name, line1: said.line1, city: said.city, postcode: said.postcode, country: 'GB' };
const order = (card: string, headers: Record<string, string> = {}) =>
  ask('POST', '/api/orders', {
    token,
    headers: { 'Idempotency-Key': `${said.key}-${card}`, ...headers },
    body: { items: [{ productId: teapot, quantity: 1 }], shippingAddress: address, payment: { token: card } },
  });
const traceIdOf = ({ headers }: { headers: Headers }) => String(headers.get('x-trace-id'));
const spansOf = (traceId: string) => receiver.spans.filter(span => span.traceId === traceId);

describe('the trace of an order', () => {
  test('that is confirmed goes from the gateway to the last consumer', async () => {
    const answer = await order(said.card);
    assert.equal(answer.status, 201);
    const traceId = traceIdOf(answer);
    const spans = await eventually(async () => spansOf(traceId), isWholeConfirmed, 30_000).catch(() =>
      spansOf(traceId),
    );
    assert.deepEqual(ofConfirmed(spans), { missing: [], strange: [], back: [] });
    assertSound(spans);
    assert.deepEqual(
      spans.filter(span => span.failed).map(span => span.name),
      [],
    );
    const steps = spans.filter(span => /^saga /.test(span.name)).map(span => span.attributes['tradepost.order.id']);
    assert.deepEqual(new Set(steps), new Set([answer.body.id]));
  });

  test('that is declined shows what is taken back', async () => {
    const answer = await order(said.declined);
    assert.equal(answer.status, 402);
    const traceId = traceIdOf(answer);
    assert.equal(answer.body.traceId, traceId);
    const spans = await eventually(async () => spansOf(traceId), isWholeDeclined, 30_000).catch(() => spansOf(traceId));
    const { missing, strange, back } = ofDeclined(spans);
    assert.deepEqual({ missing, strange }, { missing: [], strange: [] });
    assert.ok(back.length >= 2, 'the stock that came back is heard of');
    assertSound(spans);
  });

  test('goes on with the trace of the client, and keeps to its wish not to be recorded', async () => {
    const [traceId, silent] = ['1'.repeat(32), '2'.repeat(32)];
    const parent = 'b'.repeat(16);
    const loud = await ask('GET', '/api/products/categories', {
      headers: { traceparent: `00-${traceId}-${parent}-01` },
    });
    const quiet = await ask('GET', '/api/products/recent', { headers: { traceparent: `00-${silent}-${parent}-00` } });
    assert.deepEqual([traceIdOf(loud), traceIdOf(quiet)], [traceId, silent]);
    const spans = await eventually(
      async () => spansOf(traceId),
      seen => seen.length >= 3,
    );
    assert.equal(spans.find(span => span.kind === 'server' && span.service === 'gateway')?.parentSpanId, parent);
    assert.deepEqual(spansOf(silent), []);
  });
});

describe('the trace id', () => {
  test('is in every answer, and in a problem the same one', async () => {
    const calls: [number, Promise<Awaited<ReturnType<typeof ask>>>][] = [
      [200, ask('GET', '/')],
      [200, ask('GET', '/health')],
      [200, ask('GET', '/api/dashboard', { token })],
      [404, ask('GET', `/api/${said.name}/${said.email}`)],
      [404, ask('GET', `/api/orders/00000000-0000-7000-8000-000000000000`, { token })],
      [405, ask('DELETE', '/api/dashboard')],
      [401, ask('GET', '/api/users/me', { token: 'bad' })],
      [400, ask('GET', `/api/products?nobody=${said.email}`)],
      [400, ask('POST', '/api/users/login', { body: { email: said.email, password: said.password, name: said.name } })],
      [401, ask('POST', '/api/users/login', { body: { email: said.email, password: `${said.password}-not` } })],
      [200, ask('GET', `/api/products?search=${encodeURIComponent(said.search)}`)],
      [201, ask('POST', '/api/users/me/addresses', { token, body: address })],
    ];
    for (const [status, call] of calls) {
      const answer = await call;
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(traceIdOf(answer), /^[\da-f]{32}$/);
      if (status >= 400) assert.equal(answer.body.traceId, traceIdOf(answer));
    }
  });

  test('is in the answer to what is no request', async () => {
    const { port } = new URL(url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
      let received = '';
      socket.on('data', chunk => {
        received += chunk;
      });
      socket.once('close', () => resolve(received)).once('error', reject);
    });
    const [, traceId] = /^x-trace-id: ([\da-f]{32})\r$/im.exec(text) ?? [];
    assert.equal(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).traceId, traceId);
  });
});

test('no span tells who somebody is, a secret, or what was asked for; the last ones come before the end', async () => {
  const login = await ask('POST', '/api/users/login', { body: admin });
  const boss: string = login.body.accessToken;
  const found = await ask('GET', `/api/users?email=${encodeURIComponent(said.email)}`, { token: boss });
  assert.equal(found.status, 200);
  const last = await ask('DELETE', '/api/users/me', { token });
  assert.equal(last.status, 204);
  shop.process.kill('SIGTERM');
  assert.equal(await shop.ended, 0);
  const trace = spansOf(traceIdOf(last));
  assert.ok(
    trace.some(span => span.service === 'user-service' && span.name === 'DELETE /api/users/me'),
    'what happened just before the end was sent',
  );
  const { body } = registered;
  const secrets = [...Object.values(said), ...Object.values(admin), token, body.refreshToken, boss, body.user.id];
  const everything = receiver.bodies.join('\n');
  assert.ok(receiver.spans.length > 100);
  for (const secret of secrets) {
    for (const form of [secret, encodeURIComponent(secret)]) {
      const at = everything.toLowerCase().indexOf(form.toLowerCase());
      assert.equal(at, -1, `${form}: …${everything.slice(Math.max(0, at - 100), at + 100)}…`);
    }
  }
  assert.doesNotMatch(everything, /example\.com|Bearer|xylophonic/i);
});
