import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { assertProblem, startErrorShop } from './errorShop.ts';
import { address } from './testShop.ts';

const { shop, ada, admin, productId, post, assertNoneWasOurs } = await startErrorShop();

const goodOrder = () => ({
  items: [{ productId, quantity: 1 }],
  shippingAddress: address,
  payment: { token: 'tok_visa' },
});
const key = { 'Idempotency-Key': 'errors' };

describe('a body that does not fit is 400 and says where', () => {
  const product = { sku: 'NEW-1', name: 'New', price: { amount: 1, currency: 'GBP' } };
  const cases: [string, string, () => unknown, string][] = [
    ['an unknown field', '/api/orders', () => ({ ...goodOrder(), total: 1 }), 'total'],
    [
      'a price from the client',
      '/api/orders',
      () => ({ ...goodOrder(), items: [{ productId, quantity: 1, unitPrice: 1 }] }),
      'items.0.unitPrice',
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
      'role',
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

test('a request id that comes along is kept', async () => {
  const answer = await shop.send('GET', '/api/products', { headers: { 'X-Request-Id': 'my-own.id:1' } });
  assert.equal(answer.headers.get('x-request-id'), 'my-own.id:1');
});
test('nothing of all this was our own fault', assertNoneWasOurs);
