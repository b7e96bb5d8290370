/** Named schedules of the order protocol, about the saga: each breaks a promise when the rule it is named after is undone. */
import './loader.ts';
import assert from 'node:assert/strict';
import { it } from 'node:test';

const { openShop } = await import('./script.ts');

it('A: an order whose process is killed right after OrderCreated is brought to its end by another', async t => {
  const shop = await openShop(t);
  const reserve = shop.hold('→ reserve');
  const order = shop.buy();
  await shop.until(reserve);
  await shop.kill('order-1');
  await shop.rest();
  assert.equal((await shop.state(order)).order, 'confirmed', 'without its client asking again');
  await shop.assertKept({ order: 'confirmed', onHand: 1, held: 0, captured: 1 }, order);
});

it('B: a worker whose lease lapsed finds the hold gone, and gives nothing of the confirmed order back', async t => {
  const shop = await openShop(t, { stock: { p: 1 } });
  const pin = shop.hold('→ pin', 'order-1');
  const order = shop.buy();
  await shop.until(pin);
  shop.freeze('order-1', true);
  await shop.world.start('order');
  await shop.until(async () => (await shop.state(order)).order === 'confirmed');
  await shop.until(async () => (await shop.state(order)).onHand === 0);
  shop.freeze('order-1', false);
  await pin.letGo();
  await shop.rest();
  const second = shop.buy({ client: 'bob' });
  await shop.assertKept({ order: 'confirmed', onHand: 0, held: 0, captured: 1, refunded: 0 }, order, second);
});

it('B: a charge that was given up is no decision: the same one is asked for again, and the order is confirmed', async t => {
  const shop = await openShop(t);
  const charge = shop.late('charge');
  const order = shop.buy();
  await shop.until(charge);
  await shop.rest();
  await charge.letGo();
  await shop.assertKept({ order: 'confirmed', onHand: 1, held: 0, captured: 1, refunded: 0 }, order);
});

it('H: a cancel that comes while the worker writes that it is done wakes the saga all the same', async t => {
  const shop = await openShop(t);
  const committed = shop.hold('← commit');
  const order = shop.buy();
  await shop.until(committed);
  const done = shop.hold('update sagas', 'order-1');
  await committed.letGo();
  await shop.until(done);
  const safetyNets = ['inventory-1', 'payment-1'].map(name => shop.hold('hears order.cancelled', name));
  await shop.cancel(order);
  for (const message of safetyNets) await shop.until(message);
  await done.letGo();
  await shop.until(async () => (await shop.state(order)).refunded === 1);
  await shop.until(async () => (await shop.state(order)).onHand === 2);
  for (const message of safetyNets) await message.letGo();
  await shop.assertKept({ order: 'cancelled', onHand: 2, held: 0, captured: 1, refunded: 1 }, order);
});

it('H: a cancel whose process is killed before it has woken the saga wakes it all the same', async t => {
  const shop = await openShop(t);
  const order = shop.buy();
  await shop.rest();
  const safetyNets = ['inventory-1', 'payment-1'].map(name => shop.hold('hears order.cancelled', name));
  const cancelled = shop.hold('insert events');
  await shop.cancel(order);
  await shop.until(cancelled);
  const wake = shop.hold('update sagas', 'order-1');
  await cancelled.letGo();
  await shop.until(wake);
  await shop.kill('order-1');
  for (const message of safetyNets) await shop.until(message);
  await shop.until(async () => (await shop.state(order)).refunded === 1);
  await shop.until(async () => (await shop.state(order)).onHand === 2);
  for (const message of safetyNets) await message.letGo();
  await shop.assertKept({ order: 'cancelled', onHand: 2, held: 0, captured: 1, refunded: 1 }, order);
});

it('G: a late message about a hold that expired long ago does not cancel the charged order', async t => {
  const shop = await openShop(t);
  const expired = shop.hold('hears inventory.reservation_expired');
  const reserved = shop.hold('← reserve');
  const order = shop.buy();
  await shop.until(reserved);
  shop.freeze('order-1', true);
  await shop.until(expired);
  shop.world.kill(shop.world.instances('order')[0]!);
  await shop.world.start('order');
  const charged = shop.hold('← charge');
  await shop.until(charged);
  await expired.letGo();
  await shop.pass(3_000);
  await charged.letGo();
  await shop.assertKept({ order: 'confirmed', onHand: 1, held: 0, captured: 1, refunded: 0 }, order);
});

it('K: a key whose request was answered with 503 stays with its order', async t => {
  const shop = await openShop(t, { journal: true });
  const created = shop.hold('journal insert events');
  const order = shop.buy();
  await shop.until(created);
  shop.world.database.crash();
  await created.letGo();
  const charge = shop.hold('→ charge');
  await shop.until(charge);
  await shop.pass(3_000);
  const again = shop.buy();
  await shop.pass(3_000);
  await charge.letGo();
  await shop.assertKept({ order: 'confirmed', onHand: 1, captured: 1 }, order, again);
});

it('K: a key whose request was answered with 503 before its order was recorded stays with it', async t => {
  const shop = await openShop(t);
  const created = shop.hold('insert events');
  const order = shop.buy();
  await shop.until(created);
  await shop.pass(2_500);
  const again = shop.buy();
  await shop.pass(1_000);
  await created.letGo();
  await shop.assertKept({ order: 'confirmed', onHand: 1, captured: 1 }, order, again);
});

it('L: what a customer was told is not forgotten by a killed database', async t => {
  const shop = await openShop(t, { journal: true });
  // Nothing becomes durable by itself, nor by the relay, whose claims take with them what was written before.
  const flushes = Array.from({ length: 20 }, () => shop.hold('journal', 'database'));
  const relay = shop.hold('update events', 'order-1');
  const order = shop.buy();
  await shop.until(() => order.answer);
  shop.world.database.crash('order');
  for (const held of [relay, ...flushes]) await held.letGo();
  await shop.assertKept({ order: 'confirmed', onHand: 1, held: 0, captured: 1, refunded: 0 }, order);
});

it('M: the relay writes the view that a killed process has not written', async t => {
  const shop = await openShop(t);
  const charged = shop.hold('← charge');
  const order = shop.buy();
  await shop.until(charged);
  const view = shop.hold('update orders', 'order-1');
  await charged.letGo();
  await shop.until(view);
  await shop.kill('order-1');
  await shop.rest();
  await shop.assertKept({ order: 'confirmed', onHand: 1, captured: 1 }, order);
});

it('M: the relay of another process publishes what a killed one has not', async t => {
  const shop = await openShop(t);
  const order = shop.buy();
  await shop.rest();
  const message = shop.hold('publishes order.cancelled', 'order-1');
  await shop.cancel(order);
  await shop.until(message);
  await shop.kill('order-1');
  await shop.rest();
  const heard = shop.world.bus.history.map(({ queue }) => queue).filter(queue => queue.endsWith('.order.cancelled'));
  assert.deepEqual([...new Set(heard)].sort(), [
    'inventory-service.order.cancelled',
    'payment-service.order.cancelled',
  ]);
  await shop.assertKept({ order: 'cancelled', onHand: 2, held: 0, captured: 1, refunded: 1 }, order);
});
