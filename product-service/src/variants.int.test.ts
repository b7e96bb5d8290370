import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestShop, type TestShop } from './products.testing.ts';

let shop: TestShop;
let parent: { id: string };
before(async () => {
  shop = await startTestShop();
  parent = await shop.add({ sku: 'shirt', options: ['size', 'colour'] });
});
after(() => shop.close());

const price = { amount: 100, currency: 'GBP' };
const variant = (sku: string, attributes: object, fields: object = {}) =>
  shop.send('POST', '/api/products', {
    token: shop.admin,
    body: { sku, name: sku, price, parentId: parent.id, attributes, ...fields },
  });
const problem = ({ status, body }: Awaited<ReturnType<typeof variant>>) => [status, body.errors?.[0].path];

test('a variant is a product of its own with a parent', async () => {
  const made = await variant('shirt-m-red', { size: 'M', colour: 'red', fit: 'slim' }, { initialStock: 2 });
  assert.equal(made.status, 201);
  assert.deepEqual([made.body.parentId, made.body.availability], [parent.id, 'in_stock']);
  await variant('shirt-l-red', { size: 'L', colour: 'red' });
  const { items } = (await shop.send('GET', `/api/products?parentId=${parent.id}&sort=name`)).body;
  assert.deepEqual(
    items.map((one: { sku: string }) => one.sku),
    ['shirt-l-red', 'shirt-m-red'],
  );
  assert.deepEqual((await shop.send('GET', `/api/products/${parent.id}`)).body.options, ['size', 'colour']);
});

test('two variants cannot be the same', async () => {
  assert.deepEqual(problem(await variant('again', { colour: 'RED', size: 'm' })), [400, 'attributes']);
  const { id } = (await variant('shirt-s-red', { size: 'S', colour: 'red' })).body;
  const change = (attributes: object) =>
    shop.send('PATCH', `/api/products/${id}`, { token: shop.admin, body: { attributes } });
  assert.deepEqual(problem(await change({ size: 'M', colour: 'red' })), [400, 'attributes']);
  assert.deepEqual(problem(await change({ size: 'S' })), [400, 'attributes']);
  assert.equal((await change({ size: 'XS', colour: 'red' })).status, 200);
  assert.equal((await variant('shirt-s-red-2', { size: 'S', colour: 'red' })).status, 201, 'the old place is free');
});

test('a variant needs a parent that has such options', async () => {
  assert.deepEqual(problem(await variant('a', { size: 'M' })), [400, 'attributes.colour']);
  assert.deepEqual(problem(await variant('a', {}, { parentId: 'nobody' })), [400, 'parentId']);
  const plain = await shop.add({ sku: 'plain' });
  assert.deepEqual(problem(await variant('a', {}, { parentId: plain.id })), [400, 'parentId']);
  const { id } = (await variant('shirt-xl', { size: 'XL', colour: 'red' })).body;
  assert.deepEqual(problem(await variant('a', { size: 'M', colour: 'x' }, { parentId: id })), [400, 'parentId']);
  assert.deepEqual(problem(await variant('a', { size: 'M', colour: 'x' }, { options: ['size'] })), [400, 'options']);
});

test('options stay as they are while there are variants', async () => {
  const change = (options: string[]) =>
    shop.send('PATCH', `/api/products/${parent.id}`, { token: shop.admin, body: { options } });
  assert.deepEqual(problem(await change(['size'])), [400, 'options']);
  assert.equal((await change(['colour', 'size'])).status, 200, 'their order may change');
});

test('a file brings parents and variants, and names the rows that do not fit', async () => {
  const rows = [
    { sku: 'hat', name: 'hat', price, options: ['size'] },
    { sku: 'hat-1', name: 'hat', price, parentSku: 'hat', attributes: { size: 1 } },
    { sku: 'hat-2', name: 'hat', price, parentSku: 'hat', attributes: { size: 2 } },
    { sku: 'hat-3', name: 'hat', price, parentSku: 'hat', attributes: { size: '2' } },
    { sku: 'hat-4', name: 'hat', price, parentSku: 'nobody', attributes: { size: 2 } },
    { sku: 'hat-5', name: 'hat', price, parentSku: 'hat' },
    { sku: 'hat-1', name: 'hat', price, attributes: { size: 2 } },
    { sku: 'hat-1', name: 'hat', price, attributes: {} },
    { sku: 'hat', name: 'hat', price, options: ['brim'] },
    { sku: 'hat-1', name: 'hat', price, attributes: { size: 3 } },
  ];
  const { body } = await shop.load(rows.map(row => JSON.stringify(row)).join('\n'));
  assert.deepEqual([body.created, body.updated], [3, 1]);
  assert.deepEqual(
    body.rejected.map((one: { line: number; errors: { path: string }[] }) => [one.line, one.errors[0]?.path]),
    [
      [4, 'attributes'],
      [5, 'parentSku'],
      [6, 'attributes.size'],
      [7, 'attributes'],
      [8, 'attributes'],
      [9, 'options'],
    ],
  );
});
