import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { TestAnswer } from '@tradepost/local/testing';
import { identityHeaders } from '../fuzz/hostile.ts';
import { type Target, targets } from '../fuzz/targets.ts';
import { address } from '../system/testShop.ts';
import { rules } from './rules.ts';
import { send } from './send.ts';
import { startTokenShop } from './tokenShop.ts';

const shop = await startTokenShop();

interface Account {
  id: string;
  email: string;
  token: string;
  refreshToken: string;
}

const password = 'a long enough password';
const unknownId = '01995f6e-7a1c-7000-8000-5d2f3c6b7a19';
let [customer, stranger, third]: Account[] = [];
/** Refresh tokens, each good once. */
const unused: string[] = [];
let admin = '';
let productId = '';
let orderId = '';
let paymentId = '';
let addressId = '';
let sessionId = '';

async function register(): Promise<Account> {
  const email = `${Math.random()}@example.com`;
  const { body } = await send(shop.url, 'POST', '/api/users/register', { body: { email, password, name: 'Ada' } });
  return { id: body.user.id, email, token: body.accessToken, refreshToken: body.refreshToken };
}

before(async () => {
  [customer, stranger, third] = [await register(), await register(), await register()];
  unused.push(as(third).refreshToken, (await register()).refreshToken);
  admin = await shop.adminToken();
  productId = (await shop.productBySku('STA-NOTE')).id;
  const { token, email } = as(customer);
  const order = (await shop.orderToEnd(token, [{ productId, quantity: 1 }])).body;
  [orderId, paymentId] = [order.id, order.payment.id];
  addressId = (await shop.send('POST', '/api/users/me/addresses', { token, body: address })).body.id;
  await shop.send('POST', '/api/users/login', { body: { email, password } });
  const { items } = (await shop.send('GET', '/api/users/me/sessions', { token })).body;
  sessionId = items.find((one: { current: boolean }) => !one.current).id;
});

const as = (account: Account | undefined): Account => account as Account;

/** What the path of an operation names: the customer's own, where it is somebody's. */
function idOf({ id, path }: Target): string {
  if (path.startsWith('/api/orders/user')) return as(customer).id;
  if (path.startsWith('/api/orders') || path.includes('/sagas/')) return orderId;
  if (path.includes('webhooks')) return 'simulated';
  if (path.startsWith('/api/payments')) return paymentId;
  if (path.includes('/addresses/')) return addressId;
  if (path.includes('/sessions/')) return sessionId;
  if (id === 'changeRole') return as(third).id;
  if (path.startsWith('/api/users/')) return as(customer).id;
  return productId;
}

/** Bodies that each operation takes. */
const bodies: Record<string, () => unknown> = {
  register: () => ({ email: `${Math.random()}@example.com`, password, name: 'Ada' }),
  login: () => ({ email: as(customer).email, password }),
  refresh: () => ({ refreshToken: unused.shift() }),
  logout: () => ({ refreshToken: 'nobody was given this one' }),
  updateMe: () => ({ name: 'Ada' }),
  changePassword: () => ({ currentPassword: password, newPassword: 'quite another long one' }),
  addAddress: () => address,
  replaceAddress: () => address,
  changeRole: () => ({ role: 'customer' }),
  createProduct: () => ({ sku: `OWN-${Math.random()}`, name: 'Own', price: { amount: 1, currency: 'GBP' } }),
  importProducts: () => '{"sku":"OWN-1","name":"Own","price":{"amount":1,"currency":"GBP"}}\n',
  patchProduct: () => ({ name: 'Squared notebook' }),
  adjustStock: () => ({ adjustBy: 1, reason: 'counted' }),
  createOrder: () => ({
    items: [{ productId, quantity: 1 }],
    shippingAddress: address,
    payment: { token: 'tok_visa' },
  }),
  cancelOrder: () => ({}),
  shipOrder: () => ({ carrier: 'Post', trackingNumber: '1' }),
  refundOrder: () => ({ reason: 'a gift', amount: 1 }),
  receivePaymentWebhook: () => ({}),
};
/** Queries without which an operation does not answer. */
const queries: Record<string, () => string> = {
  listStock: () => `?productIds=${productId}`,
  listPayments: () => `?orderId=${orderId}`,
  suggestProducts: () => '?q=note',
};

interface Call {
  token?: string;
  id?: string;
  headers?: Record<string, string>;
}

/** Calls an operation, at the gateway or straight at its service. */
function call(target: Target, direct: boolean, { token, id, headers }: Call): Promise<TestAnswer> {
  const base = direct ? shop.ports.services[target.service as 'user-service'].address : shop.url;
  const path = target.path.replace(/\{\w+\}/, id ?? idOf(target)) + (queries[target.id]?.() ?? '');
  const body = bodies[target.id]?.();
  return send(base, target.method, path, {
    ...(token ? { token } : {}),
    ...(body === undefined ? {} : { body }),
    headers: {
      ...(/Order$/.test(target.id) ? { 'Idempotency-Key': `own-${Math.random()}` } : {}),
      ...(target.id === 'importProducts' ? { 'Content-Type': 'application/x-ndjson' } : {}),
      ...headers,
    },
  });
}

/** Everything by which a caller could pretend to be an administrator. */
const pretence = Object.fromEntries(
  identityHeaders.filter(([name]) => !/^(authorization|connection|x-request-deadline|cookie)$/i.test(name)),
);

/** A problem without what differs from call to call. */
const essence = ({ status, body }: TestAnswer) => ({ status, ...body, instance: '', requestId: '', traceId: '' });

describe('every operation has a rule, and the code has the same', () => {
  for (const { id, access } of targets) test(id, () => assert.equal(access, rules[id]));

  test('no rule is left over', () => {
    assert.deepEqual(Object.keys(rules).toSorted(), targets.map(({ id }) => id).toSorted());
  });

  test('every body has an example', () => {
    const bodied = targets.filter(({ documented }) => documented.requestBody).map(({ id }) => id);
    assert.deepEqual(Object.keys(bodies).toSorted(), bodied.toSorted());
  });
});

/** An operation takes its session or account with it only once. */
const endsAccount = new Set(['deleteMe', 'changePassword']);

for (const direct of [false, true]) {
  const where = direct ? 'straight at the service' : 'through the gateway';
  const here = targets.filter(({ service }) => !direct || service !== 'gateway');
  const those = (...access: string[]) => here.filter(({ id }) => access.includes(rules[id] ?? ''));

  describe(`without a token, ${where}`, () => {
    for (const target of those('user', 'self', 'owner', 'admin')) {
      test(`${target.id} is 401`, async () => {
        assert.equal((await call(target, direct, {})).status, 401);
        const pretending = await call(target, direct, { headers: pretence });
        assert.deepEqual([pretending.status, pretending.body.code], [401, 'unauthenticated']);
      });
    }

    for (const target of those('public')) {
      test(`${target.id} is open`, async () => {
        const { status, body } = await call(target, direct, {});
        // The simulated provider, which this shop has, sends no events.
        const expected = target.id === 'receivePaymentWebhook' ? status === 404 : status < 400;
        assert.ok(expected, JSON.stringify(body));
      });
    }
  });

  describe(`with a token of a service, ${where}`, () => {
    for (const target of those('user', 'self', 'owner', 'admin')) {
      test(`${target.id} is 401`, async () => {
        const token = shop.material('', '').serviceToken(target.service);
        assert.equal((await call(target, direct, { token })).status, 401);
      });
    }
  });

  describe(`for a customer, ${where}`, () => {
    for (const target of those('admin')) {
      test(`${target.id} is 403`, async () => {
        const { token } = as(customer);
        for (const headers of [{}, pretence]) {
          const { status, body } = await call(target, direct, { token, headers });
          assert.deepEqual([status, body.code], [403, 'forbidden']);
        }
      });
    }
  });

  describe(`what is the customer's alone, ${where}`, () => {
    const named = those('user', 'self', 'owner').filter(({ path }) => path.includes('{'));
    for (const target of named) {
      test(`${target.id} of a stranger is 404, as if it did not exist`, async () => {
        const { token } = as(stranger);
        const foreign = await call(target, direct, { token, headers: pretence });
        assert.deepEqual([foreign.status, foreign.body.code], [404, 'not_found']);
        assert.deepEqual(essence(foreign), essence(await call(target, direct, { token, id: unknownId })));
      });
    }

    for (const target of those('user').filter(({ path, id }) => !path.includes('{') && !endsAccount.has(id))) {
      test(`${target.id} shows a stranger nothing of it`, async () => {
        const shown = JSON.stringify((await call(target, direct, { token: as(stranger).token })).body);
        for (const id of [orderId, paymentId, addressId, sessionId, as(customer).id, as(customer).email]) {
          assert.ok(!shown.includes(id), shown);
        }
      });
    }
  });
}

describe('whoever may, can', () => {
  const open = (answer: TestAnswer) =>
    assert.ok(answer.status < 400 || answer.status === 409, JSON.stringify(answer.body));
  // The last ones end what the others need.
  const last = ['cancelOrder', 'deleteAddress', 'endSession', 'changePassword', 'deleteMe'];
  const own = targets.filter(({ id }) => ['user', 'self', 'owner'].includes(rules[id] ?? ''));
  const ordered = own.toSorted((a, b) => last.indexOf(a.id) - last.indexOf(b.id));

  for (const target of targets.filter(
    ({ id }) => rules[id] === 'admin' && id !== 'replayDeadLetter' && id !== 'archiveProduct',
  )) {
    test(`an administrator: ${target.id}`, async () => open(await call(target, false, { token: admin })));
  }
  for (const target of own.filter(
    ({ id, path }) => path.includes('{') && ['self', 'owner'].includes(rules[id] ?? '') && id !== 'cancelOrder',
  )) {
    test(`an administrator, what is a customer's: ${target.id}`, async () =>
      open(await call(target, true, { token: admin })));
  }
  for (const target of ordered) {
    test(`the customer: ${target.id}`, async () => open(await call(target, false, { token: as(customer).token })));
  }
  test('the account is gone with all of this', async () => {
    assert.equal((await shop.send('GET', '/api/users/me', { token: as(customer).token })).status, 401);
  });
});
