import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { routesByService } from '@tradepost/local/openapi';
import { send as sendUnchecked } from '@tradepost/local/testing';
import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { eventually } from '../system/testShop.ts';
import { forgedAccessTokens, forgedServiceTokens } from './forgedTokens.ts';
import { send } from './send.ts';
import { startTokenShop } from './tokenShop.ts';

const shop = await startTokenShop();
const { email, password } = shop.admin;
const login = { body: { email, password } };
const { accessToken, refreshToken } = (await send(shop.url, 'POST', '/api/users/login', login)).body;
const material = shop.material(accessToken, refreshToken);

/** Where each listener asks for a user's token. */
const guarded: Record<string, string> = {
  gateway: '/api/dashboard',
  'user-service': '/api/users/me',
  'product-service': '/api/products/export',
  'inventory-service': `/api/inventory/${(await shop.productBySku('STA-NOTE')).id}/movements`,
  'order-service': '/api/orders',
  'payment-service': '/api/payments?orderId=x',
};
const addressOf = (name: string) => (name === 'gateway' ? shop.url : shop.ports.services[name as ServiceName].address);

describe('an access token that is not good is 401', () => {
  const forged = forgedAccessTokens(material);

  test('there are many kinds of them', () => {
    assert.ok(forged.length >= 40);
    assert.equal(new Set(forged.map(([, token]) => token)).size, forged.length);
  });

  for (const [listener, path] of Object.entries(guarded)) {
    test(`at ${listener}`, async () => {
      const ask = (token: string, at = path) =>
        send(addressOf(listener), 'GET', at, { headers: { Authorization: `Bearer ${token}` } });
      assert.equal((await ask(accessToken)).status, 200);
      for (const [what, token] of forged) {
        const { status, body } = await ask(token);
        assert.deepEqual([status, body.code], [401, 'unauthenticated'], what);
      }
      assert.equal((await ask(accessToken)).status, 200, 'a good one is still taken');
    });
  }

  test('also where none is needed', async () => {
    for (const base of [shop.url, addressOf('product-service')]) {
      for (const [what, token] of forged.slice(0, 20)) {
        const { status } = await send(base, 'GET', '/api/products', { token });
        assert.equal(status, 401, what);
      }
    }
  });

  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${btoa('admin:admin')}`,
    `Token ${accessToken}`,
    accessToken,
  ]) {
    test(`in the field "${authorization.slice(0, 12)}"`, async () => {
      for (const [listener, path] of Object.entries(guarded)) {
        const answer = await send(addressOf(listener), 'GET', path, { headers: { Authorization: authorization } });
        assert.equal(answer.status, 401, listener);
      }
    });
  }

  test('in a query or cookie it is none', async () => {
    assert.equal((await send(shop.url, 'GET', `/api/users/me?access_token=${accessToken}`)).status, 401);
    const headers = { Cookie: `access_token=${accessToken}; token=${accessToken}` };
    assert.equal((await send(shop.url, 'GET', '/api/users/me', { headers })).status, 401);
  });
});

interface Customer {
  id: string;
  email: string;
  token: string;
  refreshToken: string;
}

describe('a token whose session has ended is 401 at every listener', () => {
  const promotion = { token: accessToken, body: { role: 'admin' } };
  const password = 'a long enough password';
  const anotherSession = async (email: string): Promise<string> =>
    (await send(shop.url, 'POST', '/api/users/login', { body: { email, password } })).body.accessToken;
  const endings: [string, (customer: Customer) => Promise<unknown>][] = [
    [
      'by logout',
      customer => send(shop.url, 'POST', '/api/users/logout', { body: { refreshToken: customer.refreshToken } }),
    ],
    ['with its account', customer => send(shop.url, 'DELETE', '/api/users/me', { token: customer.token })],
    [
      'because its refresh token was used twice',
      async customer => {
        for (let count = 0; count < 2; count += 1) {
          await send(shop.url, 'POST', '/api/users/refresh', { body: { refreshToken: customer.refreshToken } });
        }
      },
    ],
    [
      'by another session that ended it',
      async ({ email }) => {
        const token = await anotherSession(email);
        const { items } = (await send(shop.url, 'GET', '/api/users/me/sessions', { token })).body;
        const { id } = items.find((one: { current: boolean }) => !one.current);
        return send(shop.url, 'DELETE', `/api/users/me/sessions/${id}`, { token });
      },
    ],
    [
      'by another session that changed the password',
      async ({ email }) => {
        const body = { currentPassword: password, newPassword: 'quite another long one' };
        return send(shop.url, 'POST', '/api/users/me/password', { token: await anotherSession(email), body });
      },
    ],
    ['with the role that it names', ({ id }) => send(shop.url, 'PATCH', `/api/users/${id}/role`, promotion)],
  ];
  const places = Object.keys(guarded);
  for (const [how, end] of endings) {
    test(how, async () => {
      const body = { email: `${Math.random()}@example.com`, password, name: 'Ada' };
      const customer = (await send(shop.url, 'POST', '/api/users/register', { body })).body;
      const ask = (listener: string) =>
        send(addressOf(listener), 'GET', guarded[listener] ?? '', { token: customer.accessToken });
      // What is for administrators is 403 while the token is good.
      for (const listener of places) assert.notEqual((await ask(listener)).status, 401, listener);
      const { accessToken: token, refreshToken, user } = customer;
      await end({ id: user.id, email: user.email, token, refreshToken });
      for (const listener of places)
        await eventually(
          () => ask(listener),
          ({ status }) => status === 401,
        );
    });
  }
});

describe('between services', () => {
  for (const service of serviceNames) {
    const internal = (routesByService[service] ?? []).filter(route => route.access === 'service');

    for (const { method, path } of internal) {
      const place = path.replace(/:\w+/g, 'x');
      const ask = (base: string, token?: string) =>
        sendUnchecked(base, method.toUpperCase(), place, {
          ...(token ? { token } : {}),
          ...(method === 'get' ? {} : { body: {} }),
        });

      test(`${method.toUpperCase()} ${path} takes a token of a service, and no other`, async () => {
        assert.notEqual((await ask(addressOf(service), material.serviceToken(service))).status, 401);
        assert.equal((await ask(addressOf(service))).status, 401);
        for (const [what, token] of forgedServiceTokens(material, service)) {
          const { status, body } = await ask(addressOf(service), token);
          assert.deepEqual([status, body.code], [401, 'unauthenticated'], what);
        }
      });

      test(`${method.toUpperCase()} ${path} is not at the gateway`, async () => {
        for (const token of [undefined, accessToken]) assert.equal((await ask(shop.url, token)).status, 404);
        assert.equal((await ask(shop.url, material.serviceToken(service))).status, 401);
      });
    }
  }
});
