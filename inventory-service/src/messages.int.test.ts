import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { lowStock, reservationExpired, stockChanged } from '@tradepost/shared/events/inventory';
import { orderCancelled } from '@tradepost/shared/events/orders';
import { createMessage, type Message } from '@tradepost/shared/messaging/message';
import { startTestInventory, until } from './inventory.testing.ts';

describe('messages, expiry and audit', () => {
  let shop: Awaited<ReturnType<typeof startTestInventory>>;
  let now = Date.now();
  const heard: Message[] = [];

  before(async () => {
    shop = await startTestInventory({ clock: () => new Date(now) });
    await shop.bus.listen({
      pattern: { exchange: 'inventory', key: 'inventory.*' },
      handle: async message => {
        heard.push(message);
      },
    });
  });
  after(() => shop.close());

  const level = async (productId: string) => {
    const { body } = await shop.send('GET', `/api/inventory/${productId}`);
    return [body.onHand, body.reserved, body.available];
  };

  const heardOf = (type: string, productId: string) =>
    heard.filter(message => message.type === type && message.subject === productId);

  it('expires holds that are not pinned, and tells so', async () => {
    await shop.open('slow', 9);
    await shop.reserve('e1', [{ productId: 'slow', quantity: 2 }]);
    const kept = await shop.reserve('e2', [{ productId: 'slow', quantity: 3 }]);
    await shop.pin('e2', [{ productId: 'slow', holdId: kept.body.holds[0].holdId }]);
    now += 60_000;
    await until(async () => (await level('slow'))[1] === 3);
    await until(async () => heardOf(reservationExpired.type, 'slow').length > 0);
    const [message] = heardOf(reservationExpired.type, 'slow');
    const { holdId, ...data } = (message as Message).data as Record<string, unknown>;
    assert.deepEqual(data, { orderId: 'e1', productId: 'slow', quantity: 2 });
    assert.match(String(holdId), /./);
  });
  it('releases an order that was cancelled', async () => {
    await shop.open('cancelled', 5);
    await shop.reserve('c1', [{ productId: 'cancelled', quantity: 2 }]);
    const message = createMessage(orderCancelled, {
      ...{ id: randomUUID(), source: 'order-service', subject: 'c1', at: new Date() },
      data: { orderId: 'c1', userId: 'u1', version: 3, productIds: ['cancelled', 'unheard-of'], reason: 'client' },
    });
    await shop.bus.publish('orders', message);
    await shop.bus.publish('orders', { ...message, id: randomUUID() });
    await until(async () => (await level('cancelled'))[1] === 0);
    assert.deepEqual(await level('cancelled'), [5, 0, 5]);
  });

  it('tells what the stock came to, with growing versions, and when it gets low', async () => {
    await shop.open('told', 7);
    await until(async () => heardOf(stockChanged.type, 'told').length === 1);
    await shop.reserve('w1', [{ productId: 'told', quantity: 3 }]);
    await shop.reserve('w2', [{ productId: 'told', quantity: 1 }]);
    const last = { productId: 'told', onHand: 7, reserved: 4, available: 3, low: true, version: 3 };
    await until(async () =>
      heardOf(stockChanged.type, 'told').some(({ data }) => (data as typeof last).version === last.version),
    );
    const told = heardOf(stockChanged.type, 'told').map(({ data }) => data as typeof last);
    assert.deepEqual(told.at(-1), last);
    assert.deepEqual(told[0], { ...last, reserved: 0, available: 7, low: false, version: 1 });
    assert.deepEqual(
      told.map(({ version }) => version),
      told.map(({ version }) => version).sort((a, b) => a - b),
    );
    const warnings = heardOf(lowStock.type, 'told').map(({ data }) => data);
    assert.deepEqual(warnings, [{ productId: 'told', available: 4, threshold: 5 }]);
  });
  it('says what orders have of products', async () => {
    await shop.open('audited', 9);
    const orders = ['a1', 'a2', 'a3'].map(orderId => ({ orderId, productIds: ['audited'] }));
    for (const { orderId } of orders) {
      const { body } = await shop.reserve(orderId, [{ productId: 'audited', quantity: 2 }]);
      const holds = [{ productId: 'audited', holdId: body.holds[0].holdId }];
      if (orderId !== 'a1') await shop.pin(orderId, holds);
      if (orderId === 'a3') await shop.commit(orderId, holds);
    }
    const answer = await shop.send('POST', '/internal/audit/orders', { token: shop.serviceToken(), body: { orders } });
    assert.equal(answer.status, 200);
    const byOrder = new Map(answer.body.items.map((row: { orderId: string }) => [row.orderId, row]));
    const row = { productId: 'audited', held: 2, pinned: 0, sold: 0 };
    assert.deepEqual(byOrder.get('a1'), { ...row, orderId: 'a1' });
    assert.deepEqual(byOrder.get('a2'), { ...row, orderId: 'a2', pinned: 2 });
    assert.deepEqual(byOrder.get('a3'), { ...row, orderId: 'a3', held: 0, sold: 2 });

    for (const { productId, discrepancies } of await shop.audit()) assert.deepEqual(discrepancies, [], productId);
  });

  it('finds stock that was corrupted', async () => {
    const stock = shop.connection.collection('stock');
    await stock.updateOne({ _id: 'audited' as never }, { $inc: { onHand: 1 } });
    const found = (await shop.audit()).filter(({ discrepancies }) => discrepancies.length > 0);
    assert.deepEqual(
      found.map(({ productId, discrepancies }) => [productId, discrepancies]),
      [['audited', [{ code: 'on_hand_differs_from_ledger', expected: 7, actual: 8 }]]],
    );
  });
});
