/** Named schedules of the order protocol, about money: each breaks a promise when the rule it is named after is undone. */
import './loader.ts';
import assert from 'node:assert/strict';
import { it } from 'node:test';

const { openShop } = await import('./script.ts');

it('E: a charge that arrives after the cancel captures nothing', async t => {
  const shop = await openShop(t);
  const charge = shop.late('charge');
  const order = shop.buy();
  await shop.until(charge);
  await shop.cancel(order);
  await shop.rest();
  await charge.letGo();
  await shop.assertKept({ order: 'cancelled', onHand: 2, held: 0, captured: 0 }, order);
});

it('E: a charge that reaches the provider after the cancel captures nothing, or is given back', async t => {
  const shop = await openShop(t);
  const capture = shop.hold('insert provider_charges');
  const order = shop.buy();
  await shop.until(capture);
  await shop.cancel(order);
  await shop.until(async () => (await shop.state(order)).order === 'cancelled');
  assert.equal((await shop.state(order)).captured, 0);
  await shop.pass(1_500);
  await capture.letGo();
  await shop.rest();
  const { captured, refunded } = await shop.state(order);
  assert.equal(captured, refunded);
  await shop.assertKept({ order: 'cancelled', onHand: 2, held: 0 }, order);
});

for (const first of ['→ cancel', 'hears order.cancelled'] as const) {
  it(`F: the saga and the safety net give the money back once, the last being: ${first}`, async t => {
    const shop = await openShop(t);
    const order = shop.buy();
    await shop.rest();
    const last = first === '→ cancel' ? shop.hold(first) : shop.hold(first, 'payment-1');
    await shop.cancel(order);
    await shop.until(last);
    await shop.until(async () => (await shop.state(order)).refunded === 1);
    await shop.pass(1_000);
    await last.letGo();
    await shop.assertKept({ order: 'cancelled', onHand: 2, held: 0, captured: 1, refunded: 1 }, order);
  });
}

it('L: what a killed database forgot has not been acted on', async t => {
  const shop = await openShop(t, { journal: true });
  const charge = shop.hold('→ charge', 'order-1');
  const order = shop.buy();
  await shop.until(charge);
  shop.freeze('order-1', true);
  await shop.world.start('order');
  // Another worker takes over and is about to read the stream.
  const taken = shop.hold('journal findAndModify sagas', 'order-2');
  await shop.until(taken);
  const read = shop.hold('find events', 'order-2');
  await taken.letGo();
  await shop.until(read);
  const cancelled = shop.hold('journal insert events');
  await shop.cancel(order);
  await shop.until(cancelled);
  const undone = shop.hold('→ cancel');
  await read.letGo();
  await shop.until(undone);
  shop.world.database.crash();
  await undone.letGo();
  shop.freeze('order-1', false);
  await charge.letGo();
  await shop.assertKept({ held: 0, order: 'cancelled', onHand: 2 }, order);
});

it('N: a message whose consumer is killed before its effect has it all the same', async t => {
  const shop = await openShop(t);
  const order = shop.buy();
  await shop.rest();
  const saga = shop.hold('→ cancel');
  const message = shop.hold('hears order.cancelled', 'payment-1');
  await shop.cancel(order);
  await shop.until(message);
  await shop.until(saga);
  // Only the safety net is left.
  shop.freeze('order-1', true);
  const effect = shop.hold('', 'payment-1');
  await message.letGo();
  await shop.until(effect);
  await shop.kill('payment-1');
  await shop.until(async () => (await shop.state(order)).refunded === 1);
  shop.freeze('order-1', false);
  await saga.letGo();
  await shop.assertKept({ order: 'cancelled', onHand: 2, held: 0, captured: 1, refunded: 1 }, order);
});

it('O: a refund whose process is killed before it has written that the provider gave it is settled by another', async t => {
  const shop = await openShop(t);
  const order = shop.buy();
  await shop.rest();
  const given = shop.hold('findAndModify provider_charges');
  await shop.refund(order, 200);
  await shop.until(given);
  const written = shop.hold('findAndModify payments');
  await given.letGo();
  await shop.until(written);
  assert.equal((await shop.state(order)).refunded, 0.4);
  await shop.kill('payment-1');
  await shop.assertKept({ order: 'confirmed', onHand: 1, held: 0, captured: 1, refunded: 0.4 }, order);
});
