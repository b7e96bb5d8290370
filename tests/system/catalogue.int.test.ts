import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@tradepost/shared/testing/busSuiteTools';
import { address, startTestShop } from './testShop.ts';

const shop = await startTestShop();
const admin = await shop.adminToken();

/** A new product whose stock is open. */
async function open(sku: string, initialStock: number) {
  const product = { sku, name: sku, price: { amount: 100, currency: 'GBP' }, initialStock };
  const { body } = await shop.send('POST', '/api/products', { token: admin, body: product });
  await eventually(async () => (await shop.send('GET', `/api/inventory/${body.id}`)).status === 200);
  return body;
}

test('a changed price shows at once in every answer of the gateway, and orders are charged it', async () => {
  const product = await open('CHANGING', 100);
  const paths = [`/api/products/${product.id}`, `/api/products?sku=${product.sku}`, '/api/products/recent?limit=100'];
  const prices = async () => {
    const answers = await Promise.all(paths.map(path => shop.send('GET', path)));
    return answers.map(
      ({ body }) => (body.items ?? [body]).find((one: { id: string }) => one.id === product.id).price.amount,
    );
  };
  const { token } = await shop.register();
  for (let round = 1; round <= 20; round += 1) {
    const amount = product.price.amount + round;
    // Before the change: what is kept in memory is the old price.
    assert.deepEqual(
      await prices(),
      paths.map(() => amount - 1),
    );
    const body = { price: { amount, currency: product.price.currency } };
    assert.equal((await shop.send('PATCH', `/api/products/${product.id}`, { token: admin, body })).status, 200);
    const order = await shop.send('POST', '/api/orders', {
      token,
      headers: { 'Idempotency-Key': `price-${round}` },
      body: {
        items: [{ productId: product.id, quantity: 1 }],
        shippingAddress: address,
        payment: { token: 'tok_visa' },
      },
    });
    assert.deepEqual([order.status, order.body.total.amount], [201, amount]);
    assert.deepEqual(
      await prices(),
      paths.map(() => amount),
    );
  }
});

test('a change that did not pass through this gateway shows by its message', async () => {
  const { id } = await open('LAST-ONE', 1);
  const path = `/api/products/${id}`;
  const availability = async () => (await shop.send('GET', path)).body.availability;
  const { token } = await shop.register();
  const items = [{ productId: id, quantity: 1 }];
  const order = await shop.send('POST', '/api/orders', {
    token,
    headers: { 'Idempotency-Key': 'last' },
    body: { items, shippingAddress: address, payment: { token: 'tok_visa' } },
  });
  assert.equal(order.status, 201);
  await eventually(async () => (await availability()) === 'out_of_stock');
});
