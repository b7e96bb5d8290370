import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertProblem, startErrorShop } from './errorShop.ts';

const { shop, ada, bob, admin, productId, orderId, paymentId, post, assertNoneWasOurs } = await startErrorShop();

describe('without a good token it is 401', () => {
  const places: [string, string][] = [
    ['GET', '/api/users/me'],
    ['PATCH', '/api/users/me'],
    ['GET', '/api/users/me/addresses'],
    ['GET', '/api/users?email=x@example.com'],
    ['POST', '/api/products'],
    ['POST', '/api/products/import'],
    ['PATCH', '/api/inventory/x'],
    ['GET', '/api/inventory/x/movements'],
    ['POST', '/api/orders'],
    ['GET', '/api/orders'],
    ['GET', '/api/orders/x'],
    ['POST', '/api/orders/x/ship'],
    ['GET', '/api/payments?orderId=x'],
    ['GET', '/api/dashboard'],
  ];
  for (const [method, path] of places) {
    test(`${method} ${path}`, async () => {
      assertProblem(await shop.send(method, path), 401, 'unauthenticated');
      assertProblem(await shop.send(method, path, { token: 'not.a.token' }), 401, 'unauthenticated');
    });
  }

  test('a token that was changed', async () => {
    const [head, claims, signature] = ada.token.split('.');
    const forged = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString());
    const body = Buffer.from(JSON.stringify({ ...forged, role: 'admin' })).toString('base64url');
    assertProblem(
      await shop.send('GET', '/api/users/me', { token: `${head}.${body}.${signature}` }),
      401,
      'unauthenticated',
    );
    const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${body}.`;
    assertProblem(await shop.send('GET', '/api/users/me', { token: unsigned }), 401, 'unauthenticated');
  });

  test('a wrong password, and an address nobody has', async () => {
    for (const email of [ada.email, 'nobody@example.com']) {
      const answer = await post('/api/users/login', { email, password: 'not the password' });
      assertProblem(answer, 401, 'invalid_credentials');
    }
  });

  test('a refresh token that nobody was given', async () => {
    assertProblem(await post('/api/users/refresh', { refreshToken: 'x'.repeat(43) }), 401, 'unauthenticated');
  });
});

describe('with the wrong role it is 403', () => {
  const places: [string, string, () => string, unknown][] = [
    ['looking for a user', 'GET', () => `/api/users?email=${bob.email}`, undefined],
    ['making oneself an administrator', 'PATCH', () => `/api/users/${ada.id}/role`, { role: 'admin' }],
    ['adding a product', 'POST', () => '/api/products', { sku: 'X', name: 'X', price: { amount: 1, currency: 'GBP' } }],
    ['changing a product', 'PATCH', () => `/api/products/${productId}`, { name: 'Mine' }],
    ['archiving a product', 'DELETE', () => `/api/products/${productId}`, undefined],
    ['changing stock', 'PATCH', () => `/api/inventory/${productId}`, { onHand: 1_000 }],
    ['reading the ledger', 'GET', () => `/api/inventory/${productId}/movements`, undefined],
    ['shipping', 'POST', () => `/api/orders/${orderId}/ship`, { carrier: 'X', trackingNumber: 'X' }],
    ['delivering', 'POST', () => `/api/orders/${orderId}/deliver`, undefined],
    ['refunding', 'POST', () => `/api/orders/${orderId}/refund`, { reason: 'please' }],
  ];
  for (const [name, method, path, body] of places) {
    test(name, async () => {
      const answer = await shop.send(method, path(), { token: ada.token, ...(body ? { body } : {}) });
      assertProblem(answer, 403, 'forbidden');
    });
  }

  test('an import', async () => {
    const answer = await shop.send('POST', '/api/products/import', {
      token: ada.token,
      body: '{}\n',
      headers: { 'Content-Type': 'application/x-ndjson' },
    });
    assertProblem(answer, 403, 'forbidden');
  });
});

describe('what is somebody else’s does not exist: 404', () => {
  const places: [string, string, () => string, unknown][] = [
    ['an order', 'GET', () => `/api/orders/${orderId}`, undefined],
    ['its events', 'GET', () => `/api/orders/${orderId}/events`, undefined],
    ['its cancel', 'POST', () => `/api/orders/${orderId}/cancel`, {}],
    ['a payment', 'GET', () => `/api/payments/${paymentId}`, undefined],
    ['a user', 'GET', () => `/api/users/${ada.id}`, undefined],
    ['their orders', 'GET', () => `/api/orders/user/${ada.id}`, undefined],
  ];
  for (const [name, method, path, body] of places) {
    test(name, async () => {
      const foreign = await shop.send(method, path(), { token: bob.token, ...(body ? { body } : {}) });
      assertProblem(foreign, 404, 'not_found');
      const own = await shop.send('GET', path().replace(/\/cancel$/, ''), { token: ada.token });
      assert.equal(own.status, 200);
      const asAdmin = await shop.send('GET', path().replace(/\/cancel$/, ''), { token: admin });
      assert.equal(asAdmin.status, 200);
    });
  }

  test('the payments of an order: an empty list, as for an order that is not there', async () => {
    const answers = await Promise.all(
      [orderId, 'nothing'].map(id => shop.send('GET', `/api/payments?orderId=${id}`, { token: bob.token })),
    );
    for (const { status, body } of answers) assert.deepEqual([status, body.items ?? body.code], [200, []]);
  });

  for (const path of [
    '/api/products/nothing',
    '/api/inventory/nothing',
    '/api/orders/nothing',
    '/api/payments/nothing',
  ]) {
    test(`${path}, which nobody has`, async () => {
      assertProblem(await shop.send('GET', path, { token: ada.token }), 404, 'not_found');
    });
  }
});

describe('what is there already is 409', () => {
  test('an email', async () => {
    const answer = await post('/api/users/register', {
      email: ada.email.toUpperCase(),
      password: 'a long enough password',
      name: 'X',
    });
    assertProblem(answer, 409, 'email_taken');
  });

  test('a sku', async () => {
    const answer = await post(
      '/api/products',
      { sku: 'KIT-MUG', name: 'X', price: { amount: 1, currency: 'GBP' } },
      admin,
    );
    assertProblem(answer, 409, 'sku_taken');
  });

  test('a newer version of a product: 412', async () => {
    const path = `/api/products/${(await shop.productBySku('TEX-APRON')).id}`;
    const etag = (await shop.send('GET', path)).headers.get('etag') ?? '';
    const change = (name: string) =>
      shop.send('PATCH', path, { token: admin, body: { name }, headers: { 'If-Match': etag } });
    assert.equal((await change('Waxed apron, long')).status, 200);
    assertProblem(await change('Waxed apron, short'), 412, 'version_conflict');
  });
});

test('products of two currencies are no order: 422', async () => {
  const price = { amount: 1, currency: 'EUR' };
  const created = await post('/api/products', { sku: 'EUR-1', name: 'Euro', price, initialStock: 5 }, admin);
  const items = [productId, created.body.id].map(id => ({ productId: id, quantity: 1 }));
  assertProblem(await shop.order(ada.token, items), 422, 'mixed_currencies');
});
test('nothing of all this was our own fault', assertNoneWasOurs);
