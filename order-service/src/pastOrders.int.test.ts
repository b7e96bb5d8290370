import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startOrders, type TestOrders } from './orders.testing.ts';

let orders: TestOrders;
let id: string;
let token: string;
/** Each version with its time, which grows by a minute from commit to commit. */
let events: { version: number; at: string }[];
let minute = 0;

before(async () => {
  orders = await startOrders({}, () => new Date(Date.UTC(2026, 5, 1, 12, minute)));
  token = orders.customer().token;
  id = (await orders.place(token)).body.id;
  const act = async (action: string, body?: unknown) => {
    minute += 1;
    const { status } = await orders.send('POST', `/api/orders/${id}/${action}`, { token: orders.admin, body });
    assert.equal(status, 200, action);
  };
  await act('ship', { carrier: 'Post', trackingNumber: 'RN1' });
  await act('deliver');
  await act('refund', { amount: 300, reason: 'scratched' });
  events = (await orders.send('GET', `/api/orders/${id}/events`, { token })).body.items;
});
after(() => orders.close());

const past = async (query: string) => orders.send('GET', `/api/orders/${id}?${query}`, { token });

describe('an order as it was', () => {
  const states = [
    ['pending', 'pending', 0],
    ['pending', 'pending', 0],
    ['pending', 'captured', 0],
    ['confirmed', 'captured', 0],
    ['shipped', 'captured', 0],
    ['delivered', 'captured', 0],
    ['delivered', 'partially_refunded', 300],
  ] as const;
  for (const [index, [status, payment, refunded]] of states.entries()) {
    test(`version ${index + 1}`, async () => {
      const { status: code, body } = await past(`version=${index + 1}`);
      assert.equal(code, 200);
      assert.deepEqual(
        [body.version, body.status, body.payment.status, body.payment.refunded.amount, body.updatedAt],
        [index + 1, status, payment, refunded, events[index]?.at],
      );
      assert.equal('shipment' in body, index >= 4);
    });
  }

  test('the last version is the order as it is', async () => {
    assert.equal(events.length, states.length);
    const now = await orders.send('GET', `/api/orders/${id}`, { token });
    assert.deepEqual((await past(`version=${states.length}`)).body, now.body);
  });

  test('a time shows all that had happened by then, to the millisecond', async () => {
    for (const { at } of events) {
      const newest = events.filter(event => event.at <= at).at(-1);
      assert.equal((await past(`at=${at}`)).body.version, newest?.version, at);
      const before = new Date(Date.parse(at) - 1).toISOString();
      const older = events.filter(event => event.at <= before).at(-1);
      const answer = await past(`at=${before}`);
      assert.deepEqual([answer.status, answer.body.version], older ? [200, older.version] : [404, undefined], before);
    }
    assert.equal((await past(`at=${encodeURIComponent('2026-06-01T14:01:00+02:00')}`)).body.status, 'shipped');
  });

  test('a clock that went back hides nothing that came before', async () => {
    minute = -60;
    const last = events.at(-1);
    assert.ok(last);
    const key = { 'Idempotency-Key': 'second' };
    const body = { amount: 1, reason: 'again' };
    const refunded = await orders.send('POST', `/api/orders/${id}/refund`, { token: orders.admin, body, headers: key });
    assert.equal(refunded.body.version, last.version + 1);
    assert.ok(refunded.body.updatedAt < (events[0]?.at ?? ''), 'the newest event is the oldest by its time');
    const answer = await past(`at=${events[0]?.at}`);
    assert.deepEqual([answer.status, answer.body.status], [200, 'confirmed']);
    assert.equal((await past(`at=${last.at}`)).body.version, last.version + 1);
  });
});

describe('no such past', () => {
  const missing = ['version=9', 'version=1000000', 'at=2000-01-01T00:00:00Z'];
  for (const query of missing) {
    test(query, async () => {
      const { status, body } = await past(query);
      assert.deepEqual([status, body.code], [404, 'not_found']);
    });
  }

  const wrong = [
    ...['version=0', 'version=-1', 'version=1.5', 'version=1e2', 'version=one', 'version=', 'version=1000001'],
    ...['version=1&version=2', 'version=1&at=2026-06-01T12:00:00Z', 'at=', 'at=yesterday', 'at=2026-06-01'],
    ...['at=2026-06-01T12:00:00', 'at=2026-13-01T12:00:00Z', 'at=2026-02-30T12:00:00Z', 'at=1780315200000'],
    ...['at=2026-06-01T12:00:00Z&at=2026-06-01T12:00:00Z', 'Version=1', 'version[$gt]=0'],
  ];
  for (const query of wrong) {
    test(query, async () => {
      const { status, body } = await past(query);
      assert.deepEqual([status, body.code], [400, 'invalid_request']);
    });
  }
});
