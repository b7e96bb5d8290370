import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, describe, test } from 'node:test';
import type { TestAnswer } from '@tradepost/local/testing';
import { address, type Customer, startTestShop } from './testShop.ts';

const shop = await startTestShop();

/** Every error is a problem of RFC 9457 with the members that API.md promises. */
function assertProblem(answer: TestAnswer, status: number, code: string): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.body.code, code);
  assert.equal(answer.body.status, status);
  assert.equal(answer.body.requestId, answer.headers.get('x-request-id'));
  for (const member of ['type', 'title', 'detail', 'instance']) assert.equal(typeof answer.body[member], 'string');
  assert.ok(answer.headers.get('x-content-type-options'), 'security headers are there');
  if (status === 401) assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
}

let ada: Customer;
let bob: Customer;
let admin: string;
let productId: string;
let orderId: string;
let paymentId: string;

before(async () => {
  [ada, bob, admin] = [await shop.register(), await shop.register(), await shop.adminToken()];
  productId = (await shop.productBySku('STA-NOTE')).id;
  const order = (await shop.order(ada.token, [{ productId, quantity: 1 }])).body;
  [orderId, paymentId] = [order.id, order.payment.id];
});

const goodOrder = () => ({
  items: [{ productId, quantity: 1 }],
  shippingAddress: address,
  payment: { token: 'tok_visa' },
});
const post = (path: string, body: unknown, token?: string, headers: Record<string, string> = {}) =>
  shop.send('POST', path, { body, ...(token ? { token } : {}), headers });
const key = { 'Idempotency-Key': 'errors' };

describe('a body that does not fit is 400 and says where', () => {
  const product = { sku: 'NEW-1', name: 'New', price: { amount: 1, currency: 'GBP' } };
  const cases: [string, string, () => unknown, string][] = [
    ['an unknown field', '/api/orders', () => ({ ...goodOrder(), total: 1 }), 'body'],
    [
      'a price from the client',
      '/api/orders',
      () => ({ ...goodOrder(), items: [{ productId, quantity: 1, unitPrice: 1 }] }),
      'items.0',
    ],
    [
      'a wrong type',
      '/api/orders',
      () => ({ ...goodOrder(), items: [{ productId, quantity: '1' }] }),
      'items.0.quantity',
    ],
    ['no lines', '/api/orders', () => ({ ...goodOrder(), items: [] }), 'items'],
    ['quantity 0', '/api/orders', () => ({ ...goodOrder(), items: [{ productId, quantity: 0 }] }), 'items.0.quantity'],
    [
      'quantity 100,001',
      '/api/orders',
      () => ({ ...goodOrder(), items: [{ productId, quantity: 100_001 }] }),
      'items.0.quantity',
    ],
    [
      'half a piece',
      '/api/orders',
      () => ({ ...goodOrder(), items: [{ productId, quantity: 0.5 }] }),
      'items.0.quantity',
    ],
    [
      'an address without a city',
      '/api/orders',
      () => ({ ...goodOrder(), shippingAddress: { ...address, city: undefined } }),
      'shippingAddress.city',
    ],
    [
      'half a surrogate pair in an id',
      '/api/orders',
      () => ({ ...goodOrder(), shippingAddress: undefined, addressId: '\ud800' }),
      'addressId',
    ],
    ['no payment', '/api/orders', () => ({ ...goodOrder(), payment: undefined }), 'payment'],
    ['a list for an object', '/api/orders', () => [], 'body'],
    [
      'a short password',
      '/api/users/register',
      () => ({ email: 'x@example.com', password: 'short', name: 'X' }),
      'password',
    ],
    ['no email', '/api/users/register', () => ({ email: 'x', password: 'a long enough password', name: 'X' }), 'email'],
    [
      'a role from the client',
      '/api/users/register',
      () => ({ email: 'x@example.com', password: 'a long enough password', name: 'X', role: 'admin' }),
      'body',
    ],
    [
      'an operator for a value',
      '/api/users/login',
      () => ({ email: { $gt: '' }, password: 'a long enough password' }),
      'email',
    ],
    [
      'a price below 0',
      '/api/products',
      () => ({ ...product, price: { amount: -1, currency: 'GBP' } }),
      'price.amount',
    ],
    [
      'a fraction of a penny',
      '/api/products',
      () => ({ ...product, price: { amount: 0.5, currency: 'GBP' } }),
      'price.amount',
    ],
    [
      'an unknown currency form',
      '/api/products',
      () => ({ ...product, price: { amount: 1, currency: 'pounds' } }),
      'price.currency',
    ],
  ];
  for (const [name, path, body, where] of cases) {
    test(name, async () => {
      const answer = await post(path, body(), path === '/api/products' ? admin : ada.token, key);
      assertProblem(answer, 400, 'invalid_request');
      const paths = answer.body.errors.map((error: { path: string }) => error.path);
      assert.ok(paths.includes(where), `${where} among ${paths}`);
    });
  }

  test('the same product on two lines', async () => {
    const line = { productId, quantity: 1 };
    assertProblem(
      await post('/api/orders', { ...goodOrder(), items: [line, line] }, ada.token, key),
      400,
      'invalid_request',
    );
  });

  test('both kinds of stock change at once', async () => {
    const answer = await shop.send('PATCH', `/api/inventory/${productId}`, {
      token: admin,
      body: { onHand: 1, adjustBy: 1, reason: 'x' },
    });
    assertProblem(answer, 400, 'invalid_request');
  });
});

describe('a query that does not fit is 400', () => {
  const paths = [
    '/api/products?colour=red',
    '/api/products?limit=0',
    '/api/products?limit=101',
    '/api/products?limit=ten',
    '/api/products?sort=best',
    '/api/products?minPrice=1.5',
    `/api/products/recent?limit=-1`,
    '/api/inventory',
  ];
  for (const path of paths) {
    test(path, async () => assertProblem(await shop.send('GET', path), 400, 'invalid_request'));
  }

  test('orders by an unknown status', async () => {
    assertProblem(await shop.send('GET', '/api/orders?status=lost', { token: ada.token }), 400, 'invalid_request');
  });

  for (const path of ['/api/products?cursor=abc', '/api/orders?cursor=%7B%7D']) {
    test(path, async () => {
      assertProblem(await shop.send('GET', path, { token: ada.token }), 400, 'invalid_cursor');
    });
  }
});

describe('a body that cannot be read', () => {
  const places: [string, string, () => string | undefined][] = [
    ['POST', '/api/users/login', () => undefined],
    ['POST', '/api/orders', () => ada.token],
    ['POST', '/api/products', () => admin],
    ['PATCH', '/api/users/me', () => ada.token],
  ];
  for (const [method, path, token] of places) {
    const sendBody = (body: string, headers = {}) =>
      shop.send(method, path, {
        body,
        headers: { ...key, ...headers },
        ...(token() ? { token: token() as string } : {}),
      });

    test(`${method} ${path}: broken JSON is 400`, async () => {
      assertProblem(await sendBody('{"email":'), 400, 'malformed_json');
    });
    test(`${method} ${path}: more than 100 kB is 413`, async () => {
      assertProblem(await sendBody(JSON.stringify({ email: 'x'.repeat(110_000) })), 413, 'payload_too_large');
    });
    test(`${method} ${path}: another media type is 415`, async () => {
      assertProblem(await sendBody('email=x', { 'Content-Type': 'text/plain' }), 415, 'unsupported_media_type');
    });
  }
});

describe('a path or method that is not there', () => {
  for (const path of ['/api/nothing', '/nothing', '/api', '/api/orders/x/y/z', '/metrics', '/internal/reservations']) {
    test(`${path} is 404`, async () => {
      const answer = await rawGet(path);
      assert.match(answer, /^HTTP\/1\.1 404 /);
      assert.match(answer, /"code":"not_found"/);
    });
  }

  for (const path of ['/api/../internal/reservations', '/%2e%2e/internal/charges', '//internal/charges']) {
    test(`${path} is no way round: 400`, async () => assert.match(await rawGet(path), /^HTTP\/1\.1 400 /));
  }

  for (const [method, path, allow] of [
    ['DELETE', '/api/orders', ['GET', 'HEAD', 'POST']],
    ['PUT', '/api/users/login', ['POST']],
    ['POST', '/api/users/me', ['DELETE', 'GET', 'HEAD', 'PATCH']],
    ['DELETE', '/api/inventory/x', ['GET', 'HEAD', 'PATCH']],
    ['PATCH', '/api/products/recent', ['GET', 'HEAD']],
    ['GET', '/api/orders/x/cancel', ['POST']],
  ] as const) {
    test(`${method} ${path} is 405`, async () => {
      const answer = await shop.send(method, path, { token: admin });
      assertProblem(answer, 405, 'method_not_allowed');
      assert.deepEqual((answer.headers.get('allow') ?? '').split(', ').sort(), allow);
    });
  }

  test('a method that HTTP does not know is answered by a problem', async () => {
    const answer = await raw('BREW /api/products HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 501 /);
    assert.match(answer, /application\/problem\+json/);
    assert.match(answer, /"code":"method_not_implemented"/);
  });

  test('broken framing is answered by a problem', async () => {
    const answer = await raw('GET /api/products HTTP/1.1\r\nHost localhost\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /"code":"invalid_request"/);
  });
});

/** What the gateway answers to these bytes, until it ends the connection. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(shop.ports.gateway.port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no end after 5 s: ${answer}`)));
    socket
      .on('data', data => {
        answer += data;
      })
      .on('end', () => resolve(answer))
      .on('error', reject);
  });
}

/** Unlike `fetch` sends the path as it is. */
const rawGet = (path: string) => raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);

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

test('a request id that comes along is kept', async () => {
  const answer = await shop.send('GET', '/api/products', { headers: { 'X-Request-Id': 'my-own.id:1' } });
  assert.equal(answer.headers.get('x-request-id'), 'my-own.id:1');
});

test('nothing of all this was our own fault', () => {
  assert.deepEqual(
    shop.log.filter(line => line.includes('internal_error')),
    [],
  );
});
