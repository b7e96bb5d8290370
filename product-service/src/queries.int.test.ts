import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { stockChanged } from '@tradepost/shared/events/inventory';
import { createMessage } from '@tradepost/shared/messaging/message';
import { eventually, startTestShop } from './products.testing.ts';

/** Operations with a filter, which must find it by an index. */
const filtered = new Set(['find', 'findOne', 'updateOne', 'findOneAndUpdate', 'countDocuments']);

test('nothing that product-service asks of its database scans the collection', async t => {
  const shop = await startTestShop({ cacheSize: 0 });
  t.after(() => shop.close());
  const asked = new Map<string, { filter: object; sort: object }>();
  const note = (method: string, filter: object, sort = {}) => {
    const shape = JSON.stringify([method, filter, sort], (key, value) =>
      key === '' || typeof value === 'object' ? value : 0,
    );
    asked.set(shape.replace(/(0,)*0/g, '0'), { filter, sort });
  };
  shop.connection.set('debug', (_collection: string, method: string, first: object, ...rest: object[]) => {
    if (filtered.has(method)) note(method, first, (rest.at(-1) as { sort?: object } | undefined)?.sort);
    if (method !== 'bulkWrite') return;
    const operations = first as { updateOne?: { filter: object } }[];
    for (const { updateOne } of operations) if (updateOne) note(method, updateOne.filter);
  });

  const rows = Array.from({ length: 300 }, (_, at) => ({
    sku: `s${at}`,
    name: 'n',
    price: { amount: at, currency: 'GBP' },
  }));
  const file = rows.map(row => JSON.stringify(row)).join('\n');
  await shop.load(file);
  await shop.load(file.replaceAll('"n"', '"other"'));
  const parent = await shop.add({ sku: 'parent', options: ['size'] });
  await shop.add({ sku: 'variant', parentId: parent.id, attributes: { size: 1 } });
  const path = `/api/products/${parent.id}`;
  for (const body of [{ name: 'new' }, { options: ['size'] }])
    await shop.send('PATCH', path, { token: shop.admin, body });
  for (const query of ['', '?search=other&limit=100', '?sort=price&minPrice=5', '?sku=s1', '/recent', '/categories']) {
    await shop.send('GET', `/api/products${query}`);
  }
  await shop.send('GET', path);
  await shop.send('GET', '/api/products/export', { token: shop.admin });
  const lookup = { token: shop.serviceToken(), body: { ids: [parent.id] } };
  await shop.send('POST', '/internal/products/lookup', lookup);
  const data = { productId: parent.id, onHand: 1, reserved: 0, available: 1, low: false, version: 1 };
  const message = { id: randomUUID(), source: 'inventory-service', subject: parent.id, at: new Date(), data };
  await shop.bus.publish('inventory', createMessage(stockChanged, message));
  await eventually(async () => (await shop.send('GET', path)).body.availability === 'in_stock');
  await shop.send('DELETE', path, { token: shop.admin });

  const collection = shop.connection.collection('products');
  assert.ok(asked.size >= 8, `${asked.size} kinds of query were seen`);
  for (const [shape, { filter, sort }] of asked) {
    const plan = JSON.stringify(
      await collection
        .find(filter)
        .sort(sort as never)
        .explain('queryPlanner'),
    );
    assert.doesNotMatch(plan, /COLLSCAN/, shape);
    assert.match(plan, /IXSCAN|IDHACK|EXPRESS/, shape);
  }
});
