import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eventually, startOrders, type TestOrders } from './orders.testing.ts';

let orders: TestOrders;
before(async () => {
  orders = await startOrders();
});
after(() => orders.close());

it('cancels a confirmed order: money and stock return', async () => {
  const { token } = orders.customer();
  const stock = orders.world.stock.get('mug');
  const { body: placed } = await orders.place(token);
  const cancelled = await orders.send('POST', `/api/orders/${placed.id}/cancel`, {
    token,
    body: { reason: 'too late' },
  });
  assert.equal(cancelled.status, 200);
  assert.equal(cancelled.body.status, 'cancelled');
  assert.equal(cancelled.body.cancellation.reason, 'too late');
  assert.equal(cancelled.body.payment.status, 'refunded');
  assert.deepEqual(orders.world.refunds.get(placed.id), new Map([[`cancel:${placed.id}`, 1000]]));
  await eventually(() => orders.world.stock.get('mug') === stock);
  const again = await orders.send('POST', `/api/orders/${placed.id}/cancel`, { token });
  assert.equal(again.status, 200);
  assert.equal(again.body.version, cancelled.body.version);
});

it('refunds a charge that was on its way when the client cancelled', async () => {
  const { token } = orders.customer();
  let id = '';
  orders.world.spoil('charge', async () => {
    await eventually(async () => {
      id = (await orders.send('GET', '/api/orders', { token })).body.items[0]?.id;
      return id !== undefined;
    });
    await orders.send('POST', `/api/orders/${id}/cancel`, { token });
  });
  const placed = await orders.place(token);
  assert.equal(placed.status, 409);
  assert.equal(placed.body.detail, 'The order was cancelled before it was confirmed');
  await eventually(
    () => (orders.world.captured.get(id) ?? 0) === (orders.world.refunds.get(id)?.get(`cancel:${id}`) ?? 0),
  );
  await eventually(() => orders.world.holds.get(id) === undefined && orders.world.sold.get(id) === undefined);
  const order = await orders.send('GET', `/api/orders/${id}`, { token });
  assert.equal(order.body.status, 'cancelled');
});

it('ships and delivers, and then nothing is cancelled', async () => {
  const { token } = orders.customer();
  const { body: placed } = await orders.place(token);
  const shipment = { carrier: 'DHL', trackingNumber: 'T1' };
  const path = `/api/orders/${placed.id}`;
  assert.equal((await orders.send('POST', `${path}/deliver`, { token: orders.admin })).body.code, 'invalid_transition');
  assert.equal((await orders.send('POST', `${path}/ship`, { token, body: shipment })).status, 403);
  const shipped = await orders.send('POST', `${path}/ship`, { token: orders.admin, body: shipment });
  assert.equal(shipped.body.status, 'shipped');
  assert.equal(shipped.body.shipment.trackingNumber, 'T1');
  assert.equal((await orders.send('POST', `${path}/cancel`, { token })).body.code, 'invalid_transition');
  assert.equal((await orders.send('POST', `${path}/deliver`, { token: orders.admin })).body.status, 'delivered');
});

it('refunds in parts, each once by its key, never more than was captured', async () => {
  const { token } = orders.customer();
  const { body: placed } = await orders.place(token);
  const refund = (amount: number | undefined, key: string) =>
    orders.send('POST', `/api/orders/${placed.id}/refund`, {
      token: orders.admin,
      body: { ...(amount === undefined ? {} : { amount }), reason: 'scratched' },
      headers: { 'Idempotency-Key': key },
    });
  const part = await refund(300, 'a');
  assert.equal(part.body.payment.status, 'partially_refunded');
  assert.deepEqual(part.body.payment.refunded, { amount: 300, currency: 'GBP' });
  assert.deepEqual((await refund(300, 'a')).body, part.body);
  assert.equal((await refund(301, 'a')).body.code, 'idempotency_key_reused');
  assert.equal((await refund(701, 'b')).body.code, 'refund_exceeds_capture');
  assert.equal((await refund(undefined, 'c')).body.payment.status, 'refunded');
  assert.equal((await refund(undefined, 'd')).body.code, 'refund_exceeds_capture');
  assert.deepEqual([...(orders.world.refunds.get(placed.id)?.values() ?? [])], [300, 700]);
  const { items } = (await orders.send('GET', `/api/orders/${placed.id}/events`, { token })).body;
  assert.deepEqual(
    items.slice(4).map((event: { data: object }) => event.data),
    [300, 700].map((amount, index) => ({ ...items[4 + index].data, amount, reason: 'scratched' })),
  );
});
