import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { orderConfirmed } from '@tradepost/shared/events/orders';
import { createServiceClient } from '@tradepost/shared/http/client';
import { newId } from '@tradepost/shared/ids';
import { createMessage } from '@tradepost/shared/messaging/message';
import { loadRevocations } from '@tradepost/shared/revocations';
import { type Account, eventually, startUserService, type UserServiceTest } from './testing/userService.ts';

let shop: UserServiceTest;
let admin: Account;
before(async () => {
  shop = await startUserService();
  admin = await shop.admin();
});
after(() => shop.close());

const get = (path: string, token: string) => shop.send('GET', path, { token });
const setRole = (id: string, role: unknown, token = admin.accessToken) =>
  shop.send('PATCH', `/api/users/${id}/role`, { token, body: { role } });

test('an account is seen by itself and by administrators, for others it does not exist', async () => {
  const [one, other] = [await shop.register(), await shop.register()];
  const own = await get(`/api/users/${one.id}`, one.accessToken);
  assert.equal(own.status, 200);
  assert.deepEqual(Object.keys(own.body).toSorted(), ['createdAt', 'email', 'id', 'name', 'role']);
  assert.deepEqual((await get(`/api/users/${one.id}`, admin.accessToken)).body, own.body);
  const foreign = await get(`/api/users/${one.id}`, other.accessToken);
  const unknown = await get('/api/users/unknown', other.accessToken);
  const without = ({ requestId, traceId, instance, ...body }: Record<string, unknown>) => body;
  assert.deepEqual([foreign.status, without(foreign.body)], [404, without(unknown.body)]);
  assert.equal((await get('/api/users/unknown', admin.accessToken)).status, 404);
});

test('administrators find accounts by address and page through all', async () => {
  const one = await shop.register({ email: 'findme@example.com' });
  for (const email of ['findme@example.com', 'FindMe@Example.com']) {
    const { status, body } = await get(`/api/users?email=${encodeURIComponent(email)}`, admin.accessToken);
    assert.deepEqual([status, body.items.map((user: Account) => user.id), body.nextCursor], [200, [one.id], null]);
  }
  assert.deepEqual((await get('/api/users?email=nobody@example.com', admin.accessToken)).body, {
    items: [],
    nextCursor: null,
  });
  const first = (await get('/api/users?limit=2', admin.accessToken)).body;
  await shop.register();
  const second = (await get(`/api/users?limit=2&cursor=${first.nextCursor}`, admin.accessToken)).body;
  const ids = [...first.items, ...second.items].map(user => user.id);
  assert.equal(new Set(ids).size, ids.length, 'no row twice while rows are added');
  assert.deepEqual(ids, ids.toSorted().toReversed());
  for (const query of [
    'email=',
    'email=none',
    'email=a@b.co&email=c@d.co',
    'email[$gt]=',
    'limit=0',
    'limit=101',
    'x=1',
  ]) {
    const answer = await get(`/api/users?${query}`, admin.accessToken);
    assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request'], query);
  }
  assert.equal((await get('/api/users?cursor=broken', admin.accessToken)).body.code, 'invalid_cursor');
});

test('customers are refused what is for administrators', async () => {
  const { accessToken, id } = await shop.register();
  for (const answer of [await get('/api/users', accessToken), await setRole(id, 'admin', accessToken)]) {
    assert.deepEqual([answer.status, answer.body.code], [403, 'forbidden']);
  }
});

test('a new role makes tokens with the old one useless at once and comes with the next refresh', async () => {
  const account = await shop.register();
  const promoted = await setRole(account.id, 'admin');
  assert.deepEqual([promoted.status, promoted.body.role, promoted.body.id], [200, 'admin', account.id]);
  assert.equal((await shop.me(account.accessToken)).status, 401);
  const next = (await shop.refresh(account.refreshToken)).body;
  assert.equal((await get('/api/users', next.accessToken)).status, 200);

  assert.equal((await setRole(account.id, 'customer')).body.role, 'customer');
  assert.equal((await get('/api/users', next.accessToken)).status, 401);
  const last = (await shop.refresh(next.refreshToken)).body;
  assert.equal((await get('/api/users', last.accessToken)).status, 403);
  assert.equal((await shop.me(last.accessToken)).status, 200);
  assert.equal((await shop.me(account.accessToken)).status, 200, 'its role is the present one again');

  const published = () =>
    shop.messages.filter(message => message.type === 'user.sessions_revoked' && message.subject === account.id);
  await eventually('both messages', () => published().length === 2);
  assert.deepEqual(
    published()
      .map(message => message.data)
      .map(data => ({ ...(data as object), revokedAt: '' })),
    ['admin', 'customer'].map(role => ({ userId: account.id, sessionIds: null, role, revokedAt: '' })),
  );
});

test('setting the role that a user has changes nothing; one that is unknown, or a user that is, is refused', async () => {
  const account = await shop.register();
  assert.equal((await setRole(account.id, 'customer')).status, 200);
  assert.equal((await shop.me(account.accessToken)).status, 200);
  for (const role of ['owner', '', null, 1, ['admin'], { $ne: 'x' }]) {
    assert.equal((await setRole(account.id, role)).status, 400, JSON.stringify(role));
  }
  assert.equal((await setRole('unknown', 'admin')).status, 404);
});

test('a deleted account is gone for administrators too', async () => {
  const account = await shop.register();
  await shop.send('DELETE', '/api/users/me', { token: account.accessToken });
  assert.equal((await get(`/api/users/${account.id}`, admin.accessToken)).status, 404);
  assert.equal((await setRole(account.id, 'admin')).status, 404);
  const listed = (await get('/api/users?limit=100', admin.accessToken)).body.items;
  assert.ok(!listed.some((user: Account) => user.id === account.id));
});

test('what ended in the last 15 minutes can be asked for by services', async () => {
  const [out, deleted, promoted] = [await shop.register(), await shop.register(), await shop.register()];
  await shop.send('POST', '/api/users/logout', { body: { refreshToken: out.refreshToken } });
  await shop.send('DELETE', '/api/users/me', { token: deleted.accessToken });
  await setRole(promoted.id, 'admin');
  const gateway = createServiceClient({
    callee: 'user-service',
    discovery: { instances: () => [shop.url], close: async () => {} },
    signToken: () => shop.serviceToken('gateway'),
    random: Math.random,
  });
  const answer = await loadRevocations(gateway)();
  const session = await shop.connection.collection('sessions').findOne({ userId: out.id });
  assert.ok(answer.sessions.some(one => one.id === String(session?._id)));
  assert.ok(answer.users.some(one => one.id === deleted.id));
  assert.deepEqual(answer.roles.find(one => one.id === promoted.id)?.role, 'admin');
  assert.equal((await get('/internal/revocations', admin.accessToken)).status, 401);
});

test('a user’s confirmed orders are counted once each, however often and in whatever order they are told', async () => {
  const account = await shop.register();
  const confirmed = (orderId: string, userId = account.id) =>
    createMessage(orderConfirmed, {
      id: newId(),
      source: 'order-service',
      subject: orderId,
      at: new Date(),
      data: { orderId, userId, version: 4, productIds: ['p'], total: { amount: 100, currency: 'GBP' } },
    });
  const first = confirmed('order-1');
  const messages = [
    first,
    confirmed('order-2'),
    first,
    confirmed('order-3'),
    confirmed('order-1'),
    confirmed('o', 'gone'),
  ];
  await Promise.all(messages.map(message => shop.bus.publish('orders', message)));
  const count = () => shop.connection.collection('confirmed_orders').countDocuments({ userId: account.id });
  await eventually('three orders', async () => (await count()) === 3);
  await shop.bus.publish('orders', confirmed('order-4'));
  await eventually('the fourth', async () => (await count()) === 4);
  assert.equal(await shop.connection.collection('confirmed_orders').countDocuments({ userId: 'gone' }), 0);
});
