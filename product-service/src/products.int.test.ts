import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestShop, type TestShop } from './products.testing.ts';

let shop: TestShop;
before(async () => {
  shop = await startTestShop();
});
after(() => shop.close());

const price = { amount: 1299, currency: 'GBP' };

describe('a product', () => {
  test('is created with the fields of the contract and read back', async () => {
    const body = {
      sku: 'A-1',
      name: 'Lantern',
      price,
      images: ['https://a.example/1.jpg'],
      attributes: { colour: 'red' },
    };
    const made = await shop.send('POST', '/api/products', { token: shop.admin, body });
    assert.equal(made.status, 201);
    const { id, createdAt, updatedAt, ...rest } = made.body;
    assert.equal(made.headers.get('location'), `/api/products/${id}`);
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/);
    assert.equal(updatedAt, createdAt);
    assert.deepEqual(rest, {
      ...body,
      description: '',
      category: null,
      status: 'active',
      availability: 'out_of_stock',
      version: 1,
    });
    const read = await shop.send('GET', `/api/products/${id}`);
    assert.equal(read.status, 200);
    assert.deepEqual(read.body, made.body);
    assert.equal(read.headers.get('etag'), made.headers.get('etag'));
  });

  test('with opening stock is in stock at once', async () => {
    const { availability } = await shop.add({ sku: 'A-2', initialStock: 5 });
    assert.equal(availability, 'in_stock');
  });

  test('cannot take the sku of another, archived ones included', async () => {
    const { id } = await shop.add({ sku: 'A-3' });
    const again = await shop.send('POST', '/api/products', {
      token: shop.admin,
      body: { sku: 'A-3', name: 'x', price },
    });
    assert.deepEqual([again.status, again.body.code], [409, 'sku_taken']);
    await shop.send('DELETE', `/api/products/${id}`, { token: shop.admin });
    const third = await shop.send('POST', '/api/products', {
      token: shop.admin,
      body: { sku: 'A-3', name: 'x', price },
    });
    assert.equal(third.status, 409);
    const other = await shop.add({ sku: 'A-4' });
    const renamed = await shop.send('PATCH', `/api/products/${other.id}`, { token: shop.admin, body: { sku: 'A-3' } });
    assert.equal(renamed.status, 409);
  });

  const wrong: [string, unknown, string][] = [
    ['an unknown field', { sku: 'B', name: 'b', price, colour: 'red' }, 'colour'],
    ['no price', { sku: 'B', name: 'b' }, 'price'],
    ['a price as text', { sku: 'B', name: 'b', price: { amount: '1', currency: 'GBP' } }, 'price.amount'],
    ['a fraction of a penny', { sku: 'B', name: 'b', price: { amount: 1.5, currency: 'GBP' } }, 'price.amount'],
    ['a negative price', { sku: 'B', name: 'b', price: { amount: -1, currency: 'GBP' } }, 'price.amount'],
    ['a currency in lower case', { sku: 'B', name: 'b', price: { amount: 1, currency: 'gbp' } }, 'price.currency'],
    ['an empty name', { sku: 'B', name: ' ', price }, 'name'],
    ['a control character', { sku: 'B\u0000', name: 'b', price }, 'sku'],
    ['half a surrogate pair', { sku: 'B', name: 'b\ud800', price }, 'name'],
    ['a name that is too long', { sku: 'B', name: 'b'.repeat(201), price }, 'name'],
    ['an image that is a script', { sku: 'B', name: 'b', price, images: ['javascript:alert(1)'] }, 'images.0'],
    ['an image as data', { sku: 'B', name: 'b', price, images: ['data:image/png;base64,AA'] }, 'images.0'],
    ['an image without scheme', { sku: 'B', name: 'b', price, images: ['//a.example/1.jpg'] }, 'images.0'],
    ['too many images', { sku: 'B', name: 'b', price, images: Array(21).fill('https://a.example/') }, 'images'],
    ['an operator as attribute', { sku: 'B', name: 'b', price, attributes: { $gt: 1 } }, 'attributes.$gt'],
    ['a nested attribute', { sku: 'B', name: 'b', price, attributes: { a: { b: 1 } } }, 'attributes.a'],
    ['stock that is negative', { sku: 'B', name: 'b', price, initialStock: -1 }, 'initialStock'],
    ['a category of separators', { sku: 'B', name: 'b', price, category: ' > ' }, 'category'],
  ];
  for (const [name, body, path] of wrong) {
    test(`is refused for ${name}`, async () => {
      const { status, body: problem } = await shop.send('POST', '/api/products', { token: shop.admin, body });
      assert.deepEqual([status, problem.code, problem.errors?.[0].path], [400, 'invalid_request', path]);
    });
  }

  test('is written by administrators only', async () => {
    const { id } = await shop.add({ sku: 'A-5' });
    const customer = shop.token({ id: 'c' });
    for (const [method, path] of [
      ['POST', '/api/products'],
      ['PATCH', `/api/products/${id}`],
      ['DELETE', `/api/products/${id}`],
      ['POST', '/api/products/import'],
      ['GET', '/api/products/export'],
    ] as const) {
      assert.equal((await shop.send(method, path)).status, 401, `${method} ${path} without a token`);
      assert.equal((await shop.send(method, path, { token: customer })).status, 403, `${method} ${path} as customer`);
      assert.equal((await shop.send(method, path, { token: shop.serviceToken() })).status, 401, 'a service is no user');
    }
  });

  test('is unknown under any other id or method', async () => {
    assert.equal((await shop.send('GET', '/api/products/nobody')).body.code, 'not_found');
    assert.equal((await shop.send('PATCH', '/api/products/nobody', { token: shop.admin, body: {} })).status, 404);
    assert.equal((await shop.send('DELETE', '/api/products/nobody', { token: shop.admin })).status, 404);
    const wrong = await shop.send('PUT', '/api/products/nobody');
    assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD, PATCH, DELETE']);
    assert.equal((await shop.send('GET', `/api/products/${'x'.repeat(65)}`)).status, 400);
  });
});

describe('a change', () => {
  test('writes the given fields and one version more; an equal one changes nothing', async () => {
    const made = await shop.add({ sku: 'C-1', name: 'Mug', category: ' Home >Kitchen ' });
    assert.equal(made.category, 'Home > Kitchen');
    const patch = { name: 'Cup', description: 'For tea', attributes: { size: 2, lid: false } };
    const { body, headers } = await shop.send('PATCH', `/api/products/${made.id}`, { token: shop.admin, body: patch });
    assert.deepEqual({ ...body, updatedAt: '' }, { ...made, ...patch, version: 2, updatedAt: '' });
    const same = await shop.send('PATCH', `/api/products/${made.id}`, { token: shop.admin, body: patch });
    assert.equal(same.body.version, 2);
    assert.equal(same.headers.get('etag'), headers.get('etag'));
    assert.deepEqual((await shop.send('GET', `/api/products/${made.id}`)).body, body);
  });

  test('honours If-Match', async () => {
    const { id } = await shop.add({ sku: 'C-2', initialStock: 1 });
    const path = `/api/products/${id}`;
    const etag = (await shop.send('GET', path)).headers.get('etag')!;
    const change = (name: string, match: string, method = 'PATCH') =>
      shop.send(method, path, {
        token: shop.admin,
        headers: { 'If-Match': match },
        ...(method === 'PATCH' ? { body: { name } } : {}),
      });
    assert.equal((await change('one', etag)).status, 200);
    const stale = await change('two', etag);
    assert.deepEqual([stale.status, stale.body.code], [412, 'version_conflict']);
    assert.equal((await change('two', '"1", "2"')).status, 200, 'a list that holds the version');
    assert.equal((await change('three', '*')).status, 200);
    assert.equal((await change('', '"99"', 'DELETE')).status, 412);
    assert.equal((await change('four', 'W/"4"')).status, 412, 'a weak tag never matches');
    assert.equal((await change('', '"4-in_stock"', 'DELETE')).status, 204);
  });

  test('of different fields by two administrators at once keeps both', async () => {
    const { id } = await shop.add({ sku: 'C-3' });
    const path = `/api/products/${id}`;
    const changes = Array.from({ length: 5 }, (_, at) => [
      { name: `name ${at}` },
      { description: `text ${at}` },
      { category: `category ${at}` },
    ]).flat();
    const answers = await Promise.all(changes.map(body => shop.send('PATCH', path, { token: shop.admin, body })));
    assert.deepEqual(new Set(answers.map(answer => answer.status)), new Set([200]));
    const { body } = await shop.send('GET', path);
    assert.equal(body.version, 16, 'no change was lost');
    assert.match(body.name, /^name \d$/);
    assert.match(body.description, /^text \d$/);
    assert.match(body.category, /^category \d$/);
  });

  test('from the same version is made once', async () => {
    const { id } = await shop.add({ sku: 'C-4' });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        shop.send('PATCH', `/api/products/${id}`, {
          token: shop.admin,
          headers: { 'If-Match': '"1"' },
          body: { name: `name ${at}` },
        }),
      ),
    );
    assert.deepEqual(answers.map(answer => answer.status).sort(), [200, ...Array(7).fill(412)]);
  });

  test('is refused when a field is unknown or wrong, and nothing is written', async () => {
    const { id } = await shop.add({ sku: 'C-5' });
    for (const body of [{ name: 'x', stock: 1 }, { name: 'x', version: 9 }, { name: '' }, [], 'text', { price: 5 }]) {
      const answer = await shop.send('PATCH', `/api/products/${id}`, { token: shop.admin, body: JSON.stringify(body) });
      assert.equal(answer.status, 400, JSON.stringify(body));
    }
    assert.equal((await shop.send('GET', `/api/products/${id}`)).body.version, 1);
  });
});

describe('an archived product', () => {
  test('is gone from lists and kept by id, and may come back', async () => {
    const { id } = await shop.add({ sku: 'D-1', category: 'Gone' });
    const path = `/api/products/${id}`;
    for (let time = 0; time < 2; time += 1) {
      assert.equal((await shop.send('DELETE', path, { token: shop.admin })).status, 204);
    }
    assert.deepEqual((await shop.send('GET', '/api/products?sku=D-1')).body.items, []);
    const { body } = await shop.send('GET', path);
    assert.deepEqual([body.status, body.version], ['archived', 2], 'repeating it changed nothing');
    const categories = (await shop.send('GET', '/api/products/categories')).body.items;
    assert.ok(!categories.some((one: { category: string }) => one.category === 'Gone'));
    await shop.send('PATCH', path, { token: shop.admin, body: { status: 'active' } });
    assert.equal((await shop.send('GET', '/api/products?sku=D-1')).body.items.length, 1);
  });
});

describe('lookup between services', () => {
  test('gives active products at the price of the moment, to services only', async () => {
    const [one, two] = [await shop.add({ sku: 'E-1', amount: 10 }), await shop.add({ sku: 'E-2' })];
    await shop.send('DELETE', `/api/products/${two.id}`, { token: shop.admin });
    const token = shop.serviceToken();
    const body = { ids: [one.id, two.id, 'unknown'] };
    const look = () => shop.send('POST', '/internal/products/lookup', { token, body });
    assert.deepEqual((await look()).body, {
      products: [{ id: one.id, sku: 'E-1', name: 'E-1', price: { amount: 10, currency: 'GBP' } }],
    });
    const cheaper = { price: { amount: 9, currency: 'GBP' } };
    await shop.send('PATCH', `/api/products/${one.id}`, { token: shop.admin, body: cheaper });
    assert.equal((await look()).body.products[0].price.amount, 9);
    const user = await shop.send('POST', '/internal/products/lookup', { token: shop.admin, body });
    assert.equal(user.status, 401, 'a user, even an administrator');
    const none = await shop.send('POST', '/internal/products/lookup', { token, body: { ids: [] } });
    assert.equal(none.status, 400);
  });
});

describe('conditional reads', () => {
  test('answer 304 while nothing changed, and the new state after a change', async () => {
    const { id } = await shop.add({ sku: 'F-1', category: 'F' });
    for (const path of [
      `/api/products/${id}`,
      '/api/products?category=F',
      '/api/products/categories',
      '/api/products/categories/tree',
      '/api/products/recent',
      '/api/products/suggest?q=F',
    ]) {
      const first = await shop.send('GET', path);
      const etag = first.headers.get('etag')!;
      assert.equal(first.headers.get('cache-control'), 'public, no-cache', path);
      const again = await shop.send('GET', path, { headers: { 'If-None-Match': `"other", ${etag}` } });
      assert.deepEqual([again.status, again.body, again.headers.get('etag')], [304, '', etag], path);
      assert.equal((await shop.send('GET', path, { headers: { 'If-None-Match': '"other"' } })).status, 200);
    }
    const etag = (await shop.send('GET', `/api/products/${id}`)).headers.get('etag')!;
    await shop.send('PATCH', `/api/products/${id}`, { token: shop.admin, body: { name: 'New' } });
    const changed = await shop.send('GET', `/api/products/${id}`, { headers: { 'If-None-Match': etag } });
    assert.deepEqual([changed.status, changed.body.name], [200, 'New']);
  });
});
