import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createSagaModel } from '../models/saga.ts';
import { eventually, startOrders, type TestOrders } from '../orders.testing.ts';
import { createSagaStore } from './sagaStore.ts';

const maxAttempts = 3;
let orders: TestOrders;
before(async () => {
  orders = await startOrders({ SAGA_MAX_ATTEMPTS: maxAttempts, ORDER_WAIT_MS: 0 });
});
after(() => orders.close());

const list = async (query = '') =>
  (await orders.send('GET', `/api/operations/sagas${query}`, { token: orders.admin })).body;
const retry = (id: string, token = orders.admin) => orders.send('POST', `/api/operations/sagas/${id}/retry`, { token });
const statusOf = async (id: string) =>
  (await orders.send('GET', `/api/orders/${id}`, { token: orders.admin })).body.status;
const metric = async (name: string) =>
  Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await orders.registry.metrics())?.[1]);

/** An order whose charges fail until its saga is given up. */
async function parked(key: string = randomUUID()): Promise<{ id: string; token: string; key: string }> {
  const { token } = orders.customer();
  orders.world.spoil('charge', ...Array.from({ length: maxAttempts }, () => 'error' as const));
  const { body, status } = await orders.place(token, key);
  assert.equal(status, 202, JSON.stringify(body));
  await eventually(async () =>
    (await list('?limit=100')).items.some((one: { orderId: string }) => one.orderId === body.id),
  );
  return { id: body.id, token, key };
}

test('a saga that fails too often waits for the operator, and a retry finishes it', async () => {
  const charges = orders.world.calls.filter(call => call === 'charge').length;
  const { id, token, key } = await parked();
  assert.equal(orders.world.calls.filter(call => call === 'charge').length - charges, maxAttempts);
  const { items } = await list();
  assert.equal(items.length, 1);
  const { createdAt, lastError, ...rest } = items[0];
  assert.deepEqual(rest, { orderId: id, status: 'needs_attention', attempts: maxAttempts });
  assert.match(lastError, /payment-service is not available/);
  assert.ok(Date.parse(createdAt) > 0);
  assert.equal(await metric('sagas_needing_attention'), 1);
  assert.match(await orders.registry.metrics(), /saga_failures_total\{[^}]*parked="true"[^}]*\} 1\n/);
  const again = await orders.place(token, key);
  assert.deepEqual([again.status, again.body.id], [202, id], 'the customer is not charged under another order');
  const answer = await retry(id);
  assert.deepEqual([answer.status, answer.body], [202, { orderId: id, status: 'running' }]);
  await eventually(async () => (await statusOf(id)) === 'confirmed');
  assert.deepEqual((await list()).items, []);
  assert.equal(await metric('sagas_needing_attention'), 0);
  assert.equal(orders.world.captured.get(id), 1000);
  assert.equal((await orders.place(token, key)).status, 201);
});

test('a retry begins to count anew', async () => {
  const { id } = await parked();
  orders.world.spoil('charge', ...Array.from({ length: maxAttempts - 1 }, () => 'error' as const));
  await retry(id);
  await eventually(async () => (await statusOf(id)) === 'confirmed');
});

test('a parked order can be cancelled, and is turned back without the operator', async () => {
  const { id, token } = await parked();
  const cancelled = await orders.send('POST', `/api/orders/${id}/cancel`, { token, body: {} });
  assert.equal(cancelled.body.status, 'cancelled');
  await eventually(async () => (await list()).items.length === 0 && orders.world.holds.get(id) === undefined);
  assert.ok(orders.world.calls.includes('cancel'));
});

/** A confirmed order whose saga waits for the operator. */
async function setAside(): Promise<{ id: string; token: string }> {
  const { token } = orders.customer();
  const { id } = (await orders.place(token)).body;
  const sagas = createSagaModel(orders.connection);
  await eventually(async () => (await sagas.findById(id).lean())?.status === 'done');
  await sagas.updateOne({ _id: id }, { $set: { status: 'needs_attention' } });
  return { id, token };
}
const retried = async (id: string) => {
  assert.equal((await retry(id)).status, 202);
  await eventually(async () => (await createSagaModel(orders.connection).findById(id).lean())?.status === 'done');
};

test('the list comes in pages, the oldest first', async () => {
  const ids = [(await setAside()).id, (await setAside()).id, (await setAside()).id];
  const first = await list('?limit=2');
  const second = await list(`?limit=2&cursor=${first.nextCursor}`);
  const seen = [...first.items, ...second.items].map((one: { orderId: string }) => one.orderId);
  assert.deepEqual(seen, ids);
  assert.equal(second.nextCursor, null);
  assert.equal((await list('?cursor=rubbish')).code, 'invalid_cursor');
  assert.equal((await list('?limit=0')).code, 'invalid_request');
  for (const id of ids) await retried(id);
  assert.deepEqual((await list()).items, []);
});

test('only an administrator may look and retry', async () => {
  const { id, token } = await setAside();
  assert.equal((await orders.send('GET', '/api/operations/sagas', { token })).body.code, 'forbidden');
  assert.equal((await orders.send('GET', '/api/operations/sagas')).body.code, 'unauthenticated');
  assert.equal((await retry(id, token)).body.code, 'forbidden');
  assert.equal((await list()).items.length, 1, 'nobody has touched it');
  await retried(id);
});

test('there is nothing to retry where there is no order', async () => {
  const unknown = await retry(randomUUID());
  assert.deepEqual([unknown.status, unknown.body.code], [404, 'not_found']);
  const { token } = orders.customer();
  const body = {
    ...{ items: [{ productId: 'ghost', quantity: 1 }], payment: { token: 'tok_visa' } },
    shippingAddress: { name: 'Ada', line1: '1', city: 'London', postcode: 'N1', country: 'GB' },
  };
  await orders.send('POST', '/api/orders', { token, body, headers: { 'Idempotency-Key': 'refused' } });
  const refused = await createSagaModel(orders.connection).findOne({ status: 'refused' }).lean();
  assert.equal((await retry(refused?._id ?? '')).status, 404);
});

test('who wakes a saga during its last attempt is not forgotten', async () => {
  const sagas = createSagaModel(orders.connection);
  const store = createSagaStore(sagas, () => new Date(), 1_000);
  const _id = randomUUID();
  const lease = await store.insert({ _id, userId: 'u', key: _id, fingerprint: '', status: 'running', token: 't' });
  assert.ok(lease !== 'taken');
  await store.wake({ _id });
  await store.fail(lease, { error: 'no answer', nextRunAt: new Date(Date.now() + 60_000), park: true });
  const woken = await store.find(lease);
  assert.equal(woken?.status, 'running');
  await sagas.deleteOne({ _id });
});
