/** Named schedules of the order protocol, about stock: each breaks a promise when the rule it is named after is undone. */
import './loader.ts';
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Answer } from '@tradepost/shared/http/route';
import type { Shop } from './script.ts';

const { openShop } = await import('./script.ts');
const { auditSources } = await import('../../order-service/src/services/ports.ts');

it('C: a late reserve, a late pin and a late commit after the sale hold, pin and sell nothing more', async t => {
  const shop = await openShop(t);
  const [reserve, pin, commit] = [shop.late('reserve'), shop.late('pin'), shop.twice('commit')];
  const order = shop.buy();
  await shop.rest();
  assert.equal((await shop.state(order)).onHand, 1, 'sold by the repeated calls');
  await reserve.letGo();
  await shop.until(async () => (await shop.state(order)).held === 1);
  await pin.letGo();
  await commit.letGo();
  await shop.assertKept({ order: 'confirmed', onHand: 1, held: 0, captured: 1 }, order);
});

it('D: release gives back the sold piece and the hold that a late reserve made after the sale', async t => {
  const shop = await openShop(t);
  const reserve = shop.late('reserve');
  const order = shop.buy();
  await shop.rest();
  const [release, message] = [shop.hold('→ release'), shop.hold('hears order.cancelled', 'inventory-1')];
  await shop.cancel(order);
  await shop.until(release);
  await reserve.letGo();
  await shop.until(async () => (await shop.state(order)).held === 1);
  await release.letGo();
  const released = shop.hold('← release');
  await shop.until(released);
  const { onHand, held } = await shop.state(order);
  assert.deepEqual({ onHand, held }, { onHand: 2, held: 0 }, 'by the one release');
  await released.letGo();
  await message.letGo();
  await shop.assertKept({ order: 'cancelled', onHand: 2, held: 0, captured: 1, refunded: 1 }, order);
});

for (const reads of [0, 1, 2]) {
  it(`I: of two releases one returns the piece, the other having stopped after ${reads} steps`, async t => {
    const shop = await openShop(t);
    const order = shop.buy();
    await shop.rest();
    const [release, message] = [shop.hold('→ release'), shop.hold('hears order.cancelled', 'inventory-1')];
    await shop.cancel(order);
    await shop.until(release);
    await shop.until(message);
    let next = shop.hold('', 'inventory-1');
    await release.letGo();
    for (let read = 0; read < reads; read += 1) {
      await shop.until(next);
      const after = shop.hold('', 'inventory-1');
      await next.letGo();
      next = after;
    }
    await shop.until(next);
    shop.freeze('inventory-1', true);
    // The second one returns the piece, its movements go to the ledger, and somebody else buys the piece.
    await shop.world.start('inventory');
    const { bus } = shop.world;
    bus.repeat(bus.history.findIndex(({ queue }) => queue === 'inventory-service.order.cancelled'));
    await shop.until(async () => (await shop.state(order)).onHand === 2);
    await shop.until(async () => (await movements(shop)).document === 0);
    const second = shop.buy({ client: 'bob' });
    await shop.until(() => second.answer);
    shop.freeze('inventory-1', false);
    await next.letGo();
    await message.letGo();
    await shop.assertKept({ order: 'cancelled', onHand: 1, held: 0, captured: 1, refunded: 1 }, order, second);
  });
}

for (const moved of ['not yet', 'between its two reads', 'only half'] as const) {
  for (const books of ['products', 'orders'] as const) {
    it(`J: the audit of ${books} sees each movement once: they went to the ledger ${moved}`, async t => {
      const shop = await openShop(t);
      const order = shop.buy();
      await shop.until(() => order.answer);
      const drain = shop.hold('insert ledger');
      await shop.until(drain);
      if (moved === 'only half') {
        const pull = shop.hold('update stock');
        await drain.letGo();
        await shop.until(pull);
      }
      const firstRead = shop.hold('', 'inventory-1');
      let found: unknown;
      const orderId = (order.answer as Answer).body as { id: string };
      const audit = auditSources(shop.world.network.client('auditor', 'inventory-service'), undefined as never);
      const asked =
        books === 'products' ? audit.products() : audit.stockOf([{ orderId: orderId.id, productIds: ['p'] }]);
      void asked.then(answer => {
        found = answer;
      });
      await shop.until(firstRead);
      const secondRead = shop.hold('', 'inventory-1');
      await firstRead.letGo();
      await shop.until(secondRead);
      if (moved === 'between its two reads') {
        await drain.letGo();
        await shop.until(async () => (await movements(shop)).document === 0);
      }
      await secondRead.letGo();
      await shop.until(() => found);
      if (books === 'products') {
        const { items } = found as Awaited<ReturnType<typeof audit.products>>;
        assert.deepEqual(
          items.map(one => [one.productId, one.discrepancies]),
          [['p', []]],
        );
      } else {
        assert.deepEqual(found, [{ orderId: orderId.id, productId: 'p', held: 0, pinned: 0, sold: 1 }]);
      }
    });
  }
}

/** How many movements of product `p` are in which place. */
async function movements({ world }: Shop): Promise<{ document: number; ledger: number }> {
  const { db } = world.look('inventory');
  const stock = await db!.collection('stock').findOne({ _id: 'p' } as never);
  return { document: stock!.movements.length, ledger: await db!.collection('ledger').countDocuments() };
}
