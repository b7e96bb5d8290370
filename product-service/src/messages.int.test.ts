import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { stockChanged } from '@tradepost/shared/events/inventory';
import { productAvailabilityChanged, productUpdated } from '@tradepost/shared/events/products';
import { createMessage } from '@tradepost/shared/messaging/message';
import { eventually, startTestShop, type TestShop } from './products.testing.ts';

let shop: TestShop;
before(async () => {
  shop = await startTestShop();
});
after(() => shop.close());

/** Says what inventory would say. */
const say = (productId: string, version: number, available: number, low = false) =>
  shop.bus.publish(
    'inventory',
    createMessage(stockChanged, {
      id: randomUUID(),
      source: 'inventory-service',
      subject: productId,
      at: new Date(),
      data: { productId, onHand: available, reserved: 0, available, low, version },
    }),
  );
const read = async (id: string) => (await shop.send('GET', `/api/products/${id}`)).body;
const becomes = (id: string, availability: string) =>
  eventually(async () => (await read(id)).availability === availability);

describe('availability', () => {
  test('follows inventory, in lists too, without a new version', async () => {
    const { id } = await shop.add({ sku: 'S-1' });
    const etag = (await shop.send('GET', `/api/products/${id}`)).headers.get('etag')!;
    await say(id, 1, 5);
    await becomes(id, 'in_stock');
    assert.equal((await shop.send('GET', '/api/products?sku=S-1&inStock=true')).body.items.length, 1);
    await say(id, 2, 2, true);
    await becomes(id, 'low_stock');
    await say(id, 3, 0, true);
    await becomes(id, 'out_of_stock');
    assert.equal((await shop.send('GET', '/api/products?sku=S-1&inStock=true')).body.items.length, 0);
    await say(id, 4, 1, true);
    await becomes(id, 'low_stock');
    assert.equal((await read(id)).version, 1);
    const changed = await shop.send('GET', `/api/products/${id}`, { headers: { 'If-None-Match': etag } });
    assert.equal(changed.status, 200);
    const patched = await shop.send('PATCH', `/api/products/${id}`, {
      token: shop.admin,
      headers: { 'If-Match': changed.headers.get('etag')! },
      body: { name: 'Other' },
    });
    assert.equal(patched.status, 200);
  });

  test('is right after any order of messages', async () => {
    const { id } = await shop.add({ sku: 'S-2', initialStock: 3 });
    const versions = [4, 2, 5, 1, 3, 5];
    await Promise.all(versions.map(version => say(id, version, version === 5 ? 0 : version, false)));
    await becomes(id, 'out_of_stock');
    await say(id, 3, 100);
    await say(id, 6, 1);
    await becomes(id, 'in_stock');
    const stored = await shop.connection.models.Product!.findById(id).lean<{ stock: object }>();
    assert.deepEqual(stored?.stock, { available: 1, low: false, version: 6 });
  });

  test("heeds the product's own threshold", async () => {
    const { id } = await shop.add({ sku: 'S-3', initialStock: 10, lowStockThreshold: 10 });
    assert.equal((await read(id)).availability, 'low_stock');
    await say(id, 1, 8, false);
    const change = (lowStockThreshold: number | null) =>
      shop.send('PATCH', `/api/products/${id}`, { token: shop.admin, body: { lowStockThreshold } });
    await eventually(async () => {
      const stored = await shop.connection.models.Product!.findById(id).lean<{ stock: { version: number } }>();
      return stored?.stock.version === 1;
    });
    assert.equal((await change(7)).body.availability, 'in_stock');
    assert.equal((await change(8)).body.availability, 'low_stock');
    const cleared = (await change(null)).body;
    assert.deepEqual([cleared.availability, 'lowStockThreshold' in cleared], ['in_stock', false]);
  });

  test('is told to others when it changes, and only then', async () => {
    const heard: [string, number][] = [];
    const consumer = await shop.bus.listen({
      message: productAvailabilityChanged,
      handle: async ({ data }) => void heard.push([data.availability, data.stockVersion]),
    });
    const { id } = await shop.add({ sku: 'S-4' });
    for (const [version, available] of [
      [1, 5],
      [2, 4],
      [3, 0],
    ] as const) {
      await say(id, version, available);
      await eventually(async () => {
        const stored = await shop.connection.models.Product!.findById(id).lean<{ stock: { version: number } }>();
        return stored?.stock.version === version;
      });
    }
    await eventually(async () => heard.length === 2);
    assert.deepEqual(heard, [
      ['in_stock', 1],
      ['out_of_stock', 3],
    ]);
    await consumer.stop();
  });

  test('of a product that nobody knows is passed over', async () => {
    await say('nobody', 1, 5);
    const { id } = await shop.add({ sku: 'S-5' });
    await say(id, 1, 5);
    await becomes(id, 'in_stock');
    assert.deepEqual(await shop.bus.deadLetters({ limit: 10 }), []);
  });
});

describe('a change by another instance', () => {
  test('is heard of: by id, in lists and in searches', async () => {
    const { id } = await shop.add({ sku: 'T-1', name: 'Teapot' });
    await read(id);
    const model = shop.connection.models.Product!;
    const stored = await model.findById(id).lean<{ price: object; category: null }>();
    await model.updateOne({ _id: id }, { $set: { name: 'Kettle', version: 2, price: { amount: 7, currency: 'GBP' } } });
    assert.equal((await read(id)).name, 'Teapot', 'kept in memory until something is heard');
    await shop.bus.publish(
      'products',
      createMessage(productUpdated, {
        id: randomUUID(),
        source: 'product-service',
        subject: id,
        at: new Date(),
        data: {
          ...{ productId: id, sku: 'T-1', name: 'Kettle', category: null, status: 'active', version: 2 },
          price: { amount: 7, currency: 'GBP' },
        },
      }),
    );
    assert.ok(stored);
    await eventually(async () => (await read(id)).name === 'Kettle');
    await eventually(async () => (await shop.send('GET', '/api/products?search=kettle')).body.items.length === 1);
    assert.equal((await shop.send('GET', '/api/products?search=teapot')).body.items.length, 0);
    assert.equal((await shop.send('GET', '/api/products?sku=T-1&maxPrice=7')).body.items.length, 1);
  });
});
