import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { maxLines } from '@tradepost/shared/contracts/inventory';
import { newId } from '@tradepost/shared/ids';
import { startTestInventory, until } from './inventory.testing.ts';

describe('reservations over HTTP', () => {
  let shop: Awaited<ReturnType<typeof startTestInventory>>;

  before(async () => {
    shop = await startTestInventory();
  });
  after(() => shop.close());

  const level = async (productId: string) => {
    const { body } = await shop.send('GET', `/api/inventory/${productId}`);
    return [body.onHand, body.reserved, body.available];
  };

  it('go from hold to sale, each call repeatable', async () => {
    await shop.open('sold', 10);
    const items = [{ productId: 'sold', quantity: 3 }];
    const first = await shop.reserve('s1', items);
    assert.equal(first.status, 201);
    assert.deepEqual(await level('sold'), [10, 3, 7]);
    const again = await shop.reserve('s1', items);
    assert.deepEqual([again.status, again.body], [200, first.body]);
    const [{ holdId, quantity }] = first.body.holds;
    assert.equal(quantity, 3);
    const holds = [{ productId: 'sold', holdId }];
    for (const _ of [1, 2]) assert.deepEqual((await shop.pin('s1', holds)).body, { done: true });
    for (const _ of [1, 2]) assert.deepEqual((await shop.commit('s1', holds)).body, { done: true });
    assert.deepEqual(await level('sold'), [7, 0, 7]);
    for (const _ of [1, 2]) assert.deepEqual((await shop.release('s1', ['sold'])).body, { done: true });
    assert.deepEqual(await level('sold'), [10, 0, 10]);
    const { body } = await shop.send('GET', '/api/inventory/sold/movements', { token: shop.admin() });
    assert.deepEqual(
      body.items.map((movement: { type: string; orderId?: string }) => [movement.type, movement.orderId]),
      [...['return', 'commit', 'reserve'].map(type => [type, 's1']), ['open', undefined]],
    );
  });

  it('of the most lines that an order may have go their whole way', async () => {
    const productIds = Array.from({ length: maxLines }, () => newId());
    const opened = { onHand: 5_000, reserved: 0, seq: 0, holds: [], releasedOrders: [], revision: 'r', movements: [] };
    const { Stock } = shop.connection.models;
    await Stock?.insertMany(
      productIds.map(_id => ({ _id, ...opened, drained: 0, drainClaims: 0, outbox: [], updatedAt: new Date() })),
    );
    const [orderId, first = ''] = [newId(), ...productIds];
    // As order-service does, which asks again when the answer is late.
    const insist = async (call: () => ReturnType<typeof shop.pin>) => {
      for (;;) {
        const answer = await call();
        if (answer.status !== 504) return answer;
      }
    };
    const items = productIds.map(productId => ({ productId, quantity: 1 }));
    const reserved = await insist(() => shop.reserve(orderId, items));
    assert.ok(reserved.status < 300);
    const holds = reserved.body.holds.map(({ productId, holdId }: Record<string, string>) => ({ productId, holdId }));
    assert.equal(holds.length, maxLines);
    assert.deepEqual((await insist(() => shop.pin(orderId, holds))).body, { done: true });
    assert.deepEqual((await insist(() => shop.commit(orderId, holds))).body, { done: true });
    assert.deepEqual(await level(first), [4_999, 0, 4_999]);
    assert.deepEqual((await insist(() => shop.release(orderId, productIds))).body, { done: true });
    assert.deepEqual(await level(first), [5_000, 0, 5_000]);
    // They never were opened by a movement, so their ledger is not whole.
    await Stock?.deleteMany({ _id: { $in: productIds } });
  });

  it('hold all or nothing and name every shortage', async () => {
    await shop.open('plenty', 10);
    await shop.open('scarce', 1);
    await shop.open('some', 2);
    const items = [
      { productId: 'some', quantity: 3 },
      { productId: 'plenty', quantity: 1 },
      { productId: 'unheard-of', quantity: 1 },
      { productId: 'scarce', quantity: 2 },
    ];
    const { status, body } = await shop.reserve('n1', items);
    assert.deepEqual([status, body.code], [409, 'insufficient_stock']);
    assert.deepEqual(
      body.shortages.sort((a: { productId: string }, b: { productId: string }) => (a.productId < b.productId ? -1 : 1)),
      [
        { productId: 'scarce', requested: 2, available: 1 },
        { productId: 'some', requested: 3, available: 2 },
        { productId: 'unheard-of', requested: 1, available: 0 },
      ],
    );
    assert.deepEqual(await level('plenty'), [10, 0, 10]);
    assert.equal((await shop.reserve('n2', [{ productId: 'plenty', quantity: 10 }])).status, 201);
  });

  it('give back only what the refused call had held', async () => {
    await shop.open('kept', 5);
    await shop.open('out', 0);
    assert.equal((await shop.reserve('k1', [{ productId: 'kept', quantity: 2 }])).status, 201);
    const both = ['kept', 'out'].map(productId => ({ productId, quantity: 2 }));
    assert.equal((await shop.reserve('k1', both)).status, 409);
    assert.deepEqual(await level('kept'), [5, 2, 3]);
    assert.equal((await shop.reserve('k2', both)).status, 409);
    assert.deepEqual(await level('kept'), [5, 2, 3]);
  });

  it('add up lines of the same product', async () => {
    await shop.open('twice', 3);
    const line = { productId: 'twice', quantity: 2 };
    const { status, body } = await shop.reserve('t1', [line, line]);
    assert.deepEqual([status, body.shortages], [409, [{ productId: 'twice', requested: 4, available: 3 }]]);
    const one = { productId: 'twice', quantity: 1 };
    assert.deepEqual((await shop.reserve('t2', [line, one])).body.holds[0].quantity, 3);
  });

  it('take orders of many products', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `many${String(index).padStart(3, '0')}`);
    await Promise.all(ids.map(id => shop.open(id, 5)));
    const items = ids.map(productId => ({ productId, quantity: 1 }));
    let { status, body } = await shop.reserve('m1', items);
    // A slow machine runs out of the request's time; the same call goes on where it was.
    while (status >= 500) ({ status, body } = await shop.reserve('m1', items));
    assert.ok(status === 201 || status === 200);
    assert.equal(body.holds.length, 60);
    const again = await shop.reserve('m1', items);
    assert.equal(again.status, 200);
    const idsOf = (holds: { holdId: string }[]) => holds.map(({ holdId }) => holdId).sort();
    assert.deepEqual(idsOf(again.body.holds), idsOf(body.holds));
    assert.equal((await shop.release('m1', ids)).status, 200);
    assert.deepEqual(await level(ids[59] as string), [5, 0, 5]);
  });

  it('are refused after a release, as are pins and sales of holds that are gone', async () => {
    await shop.open('gone', 5);
    const reserved = await shop.reserve('g1', [{ productId: 'gone', quantity: 1 }]);
    const holds = [{ productId: 'gone', holdId: reserved.body.holds[0].holdId }];
    await shop.release('g1', ['gone']);
    for (const answer of [
      await shop.reserve('g1', [{ productId: 'gone', quantity: 1 }]),
      await shop.pin('g1', holds),
      await shop.commit('g1', holds),
      await shop.pin('g1', [{ productId: 'unheard-of', holdId: 'h' }]),
    ]) {
      assert.deepEqual([answer.status, answer.body.code], [409, 'hold_gone']);
    }
    assert.deepEqual((await shop.pin('g1', holds)).body.holdIds, [holds[0]?.holdId]);
    assert.equal((await shop.release('unknown', ['gone', 'unheard-of'])).status, 200);
    assert.deepEqual(await level('gone'), [5, 0, 5]);
  });

  it('refuse malformed requests', async () => {
    const lines = [[], [{ productId: 'sold', quantity: 0 }], [{ productId: 'sold', quantity: 100_001 }]];
    for (const items of lines) assert.equal((await shop.reserve('x', items)).status, 400);
    assert.equal((await shop.pin('x', [])).status, 400);
    assert.equal((await shop.release('x', [])).status, 400);
  });

  it('counts what it did', async () => {
    await until(
      async () =>
        (await shop.connection.collection('stock').countDocuments({ 'movements.0': { $exists: true } })) === 0,
    );
    const metrics = await shop.registry.metrics();
    for (const outcome of ['held', 'again', 'short', 'released']) {
      assert.match(metrics, new RegExp(`inventory_reservations_total\\{outcome="${outcome}",.*\\} [1-9]`));
    }
    assert.match(metrics, /inventory_drained_movements_total\{.*\} [1-9]/);
  });
});
