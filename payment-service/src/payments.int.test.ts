import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { auditedPayment } from '@tradepost/shared/contracts/payments';
import { startPayments, until } from './paymentService.testing.ts';
import { payment as paymentSchema } from './routes/paymentSchemas.ts';

const { service, points, internal, alice, charge, skew } = await startPayments();
after(() => service.close());
const bob = randomUUID();
const as = (id: string, role: 'customer' | 'admin' = 'customer') => ({ token: service.token({ id, role }) });
const admin = as(randomUUID(), 'admin');

describe('POST /internal/charges', () => {
  test('201 when captured, 200 when it was, both the same', async () => {
    const orderId = randomUUID();
    const first = await charge(orderId);
    assert.equal(first.status, 201);
    assert.deepEqual(first.body.amount, { amount: 1_299, currency: 'GBP' });
    const again = await charge(orderId);
    assert.equal(again.status, 200);
    assert.deepEqual(again.body, first.body);
  });

  for (const [token, reason] of [
    ['tok_declined', 'card_declined'],
    ['tok_insufficient_funds', 'insufficient_funds'],
    ['something else', 'invalid_token'],
  ] as const) {
    test(`${token}: 402 payment_declined, ${reason}`, async () => {
      const answer = await charge(randomUUID(), token);
      assert.equal(answer.status, 402);
      assert.equal(answer.body.code, 'payment_declined');
      assert.equal(answer.body.reason, reason);
    });
  }

  test('tok_flaky: 503 twice with Retry-After, then captured', async () => {
    const orderId = randomUUID();
    const answers = [await charge(orderId, 'tok_flaky'), await charge(orderId, 'tok_flaky')];
    assert.deepEqual(
      answers.map(answer => [answer.status, answer.body.code, answer.headers.get('retry-after')]),
      [
        [503, 'service_unavailable', '1'],
        [503, 'service_unavailable', '1'],
      ],
    );
    assert.equal((await charge(orderId, 'tok_flaky')).status, 201);
  });

  test('tok_slow and tok_timeout at once: captured late; 504, then captured', async () => {
    const [slow, lost] = [randomUUID(), randomUUID()];
    const [first, second] = await Promise.all([charge(slow, 'tok_slow'), charge(lost, 'tok_timeout')]);
    assert.equal(first.status, 201);
    assert.equal(second.status, 504);
    assert.equal(second.body.code, 'upstream_timeout');
    assert.ok([200, 201].includes((await charge(lost, 'tok_timeout')).status));
  });

  test('422 for other parameters, 409 after a cancel', async () => {
    const orderId = randomUUID();
    await charge(orderId);
    assert.equal((await charge(orderId, 'tok_visa', alice, 1)).body.code, 'idempotency_key_reused');
    await internal('POST', `/internal/charges/${orderId}/cancel`);
    assert.equal((await charge(orderId)).body.code, 'charge_refused');
  });

  test('400 for what does not fit, 401 for a user', async () => {
    const good = { orderId: 'o', userId: 'u', token: 't', amount: { amount: 1, currency: 'GBP' } };
    for (const bad of [
      { ...good, card: '4242424242424242' },
      { ...good, amount: { amount: 1.5, currency: 'GBP' } },
      { ...good, amount: { amount: -1, currency: 'GBP' } },
      { ...good, amount: 1 },
      { ...good, token: '' },
      { ...good, orderId: { $gt: '' } },
    ]) {
      assert.equal((await internal('POST', '/internal/charges', bad)).status, 400, JSON.stringify(bad));
    }
    const user = await service.send('POST', '/internal/charges', { ...admin, body: good });
    assert.equal(user.status, 401);
  });
});

describe('GET /api/payments', () => {
  test('own payments, whole shape, every status', async () => {
    const [kept, part, all, no] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    for (const orderId of [kept, part, all]) await charge(orderId);
    await charge(no, 'tok_declined');
    await internal('POST', '/internal/refunds', { orderId: part, refundId: `${part}-1`, amount: 99 });
    await internal('POST', `/internal/charges/${all}/cancel`);
    const find = async (orderId: string) => {
      const { body } = await service.send('GET', `/api/payments?orderId=${orderId}`, as(alice));
      assert.deepEqual(Object.keys(body), ['items', 'nextCursor']);
      return paymentSchema.parse(body.items[0]);
    };
    const found = await Promise.all([kept, part, all, no].map(find));
    assert.deepEqual(
      found.map(one => [one.status, one.refunded.amount, one.reason]),
      [
        ['captured', 0, undefined],
        ['partially_refunded', 99, undefined],
        ['refunded', 1_299, undefined],
        ['declined', 0, 'card_declined'],
      ],
    );
    const byId = await service.send('GET', `/api/payments/${found[1]?.id}`, as(alice));
    assert.deepEqual(byId.body, found[1]);
  });

  test('somebody else’s payments do not exist; an admin sees them', async () => {
    const orderId = randomUUID();
    const { body } = await charge(orderId);
    const path = `/api/payments/${body.paymentId}`;
    const [stranger, nobody] = [
      await service.send('GET', path, as(bob)),
      await service.send('GET', `/api/payments/${randomUUID()}`, as(bob)),
    ];
    assert.equal(stranger.status, 404);
    const without = ({ instance, requestId, traceId, ...rest }: Record<string, unknown>) => rest;
    assert.deepEqual(without(stranger.body), without(nobody.body));
    assert.deepEqual((await service.send('GET', `/api/payments?orderId=${orderId}`, as(bob))).body.items, []);
    assert.equal((await service.send('GET', path, admin)).body.orderId, orderId);
    assert.equal((await service.send('GET', `/api/payments?orderId=${orderId}`, admin)).body.items.length, 1);
    assert.equal((await service.send('GET', path)).status, 401);
  });

  test('void payments are never shown', async () => {
    const orderId = randomUUID();
    await internal('POST', `/internal/charges/${orderId}/cancel`);
    assert.deepEqual((await service.send('GET', `/api/payments?orderId=${orderId}`, admin)).body.items, []);
  });

  test('pages through own payments, newest orders first', async () => {
    const carol = randomUUID();
    const orderIds = Array.from({ length: 5 }, (_, at) => `order-${carol}-${at}`);
    for (const orderId of orderIds) await charge(orderId, 'tok_visa', carol);
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await service.send('GET', `/api/payments?limit=2${cursor}`, as(carol));
      seen.push(...body.items.map((one: { orderId: string }) => one.orderId));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    assert.deepEqual(seen, orderIds.toReversed());
    assert.equal((await service.send('GET', '/api/payments?cursor=x', as(carol))).body.code, 'invalid_cursor');
    assert.equal((await service.send('GET', '/api/payments?limit=0', as(carol))).status, 400);
    assert.equal((await service.send('GET', '/api/payments?user=1', as(carol))).status, 400);
  });
});

describe('for the operator', () => {
  test('an unanswered charge is listed when its time is over, with what it waits for', async () => {
    const [orderId, refunded] = [randomUUID(), randomUUID()];
    await charge(refunded);
    for (let time = 0; time < 20; time += 1) {
      points.kill('provider.charge.beforeLedger');
      points.kill('provider.refund.beforeLedger');
    }
    assert.equal((await charge(orderId)).status, 503);
    const refund = { orderId: refunded, refundId: `${refunded}-1`, amount: 10 };
    assert.equal((await internal('POST', '/internal/refunds', refund)).status, 503);
    const list = () => service.send('GET', '/api/operations/payments/unresolved?limit=100', admin);
    skew(2_000);
    await until(async () => (await list()).body.items.length >= 2);
    const items: Record<string, unknown>[] = (await list()).body.items;
    const [open, half] = [orderId, refunded].map(id => items.find(item => item.orderId === id));
    assert.equal(open?.status, 'pending');
    assert.equal(open?.cancelling, false);
    assert.deepEqual(half?.pendingRefunds, [{ refundId: `${refunded}-1`, amount: 10 }]);
    await until(async () => /payments_unresolved\{[^}]*\} [1-9]/.test(await service.registry.metrics()));
    assert.equal((await service.send('GET', '/api/operations/payments/unresolved', as(alice))).status, 403);
    points.clear();
    skew(3_600_000);
    await until(async () => (await list()).body.items.length === 0);
    skew(0);
    assert.equal((await charge(orderId)).status, 200, 'the sweeper has captured it');
  });

  test('metrics name results and the provider’s time', async () => {
    const metrics = await service.registry.getMetricsAsJSON();
    const count = (name: string, labels: Record<string, string>) =>
      metrics
        .flatMap(metric => metric.values as { metricName?: string; value: number; labels: Record<string, string> }[])
        .filter(one => !one.metricName || one.metricName === name)
        .filter(one => Object.entries(labels).every(([label, value]) => one.labels[label] === value))
        .reduce((sum, one) => sum + one.value, 0);
    for (const result of ['captured', 'declined', 'refunded']) assert.ok(count('payments_total', { result }) > 0);
    const late = { operation: 'charge', outcome: 'late' };
    assert.ok(count('payment_provider_duration_seconds_count', late) > 0);
  });
});

describe('audit', () => {
  const all = async (path: string) => {
    const rows = [];
    for (let cursor = ''; ; ) {
      const { status, body } = await internal('GET', `${path}?limit=10${cursor}`);
      assert.equal(status, 200);
      rows.push(...body.items.map((item: unknown) => auditedPayment.parse(item)));
      if (body.nextCursor === null) return rows;
      cursor = `&cursor=${body.nextCursor}`;
    }
  };

  test('both books agree, seen from both sides', async () => {
    const [ours, theirs] = [await all('/internal/audit/payments'), await all('/internal/audit/provider')];
    assert.ok(ours.length > 10 && theirs.length > 10, 'more than a page');
    for (const row of [...ours, ...theirs]) assert.ok(row.agrees || row.openSince, JSON.stringify(row));
    const sum = (rows: typeof ours, side: 'ours' | 'provider') =>
      rows.reduce((total, row) => total + row[side].captured - row[side].refunded, 0);
    assert.equal(sum(ours, 'ours'), sum(theirs, 'provider'));
  });

  test('of some orders: those that have a payment', async () => {
    const [paid, open] = [randomUUID(), randomUUID()];
    await charge(paid);
    const { status, body } = await internal('POST', '/internal/audit/orders', { orderIds: [paid, open] });
    assert.equal(status, 200);
    assert.deepEqual(
      body.items.map((row: { orderId: string; agrees: boolean }) => [row.orderId, row.agrees]),
      [[paid, true]],
    );
  });

  test('finds money that the other side does not know of', async () => {
    const [lost, invented, unknown] = [randomUUID(), randomUUID(), randomUUID()];
    for (const orderId of [lost, invented, unknown]) await charge(orderId);
    const { Payment, ProviderCharge } = service.connection.models;
    await Payment?.updateOne({ _id: lost }, { $set: { amount: 1 } });
    await ProviderCharge?.deleteOne({ _id: invented });
    await Payment?.deleteOne({ _id: unknown });
    const wrong = (rows: { orderId: string; agrees: boolean; openSince: string | null }[]) =>
      rows.filter(row => !row.agrees && !row.openSince).map(row => row.orderId);
    assert.deepEqual(wrong(await all('/internal/audit/payments')).sort(), [lost, invented].sort());
    assert.deepEqual(wrong(await all('/internal/audit/provider')).sort(), [lost, unknown].sort());
  });
});

test('the simulated provider sends no webhooks', async () => {
  const answer = await service.send('POST', '/api/payments/webhooks/simulated', { body: {} });
  assert.equal(answer.status, 404);
});
