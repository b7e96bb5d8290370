import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startUserService, type UserServiceTest } from './testing/userService.ts';

const home = {
  name: 'Ada Lovelace',
  line1: '12 St James’s Square',
  line2: 'Flat 3',
  city: 'London',
  region: 'Greater London',
  postcode: 'SW1Y 4JH',
  country: 'GB',
  phone: '+44 20 7946 0000',
};
const path = '/api/users/me/addresses';

let shop: UserServiceTest;
before(async () => {
  shop = await startUserService();
});
after(() => shop.close());

test('an address is added, listed, replaced and deleted', async () => {
  const { accessToken: token } = await shop.register();
  const added = await shop.send('POST', path, { token, body: home });
  assert.equal(added.status, 201);
  assert.deepEqual(added.body, { id: added.body.id, ...home });
  const list = async () => (await shop.send('GET', path, { token })).body;
  assert.deepEqual(await list(), { items: [added.body], nextCursor: null });

  const { line2, region, phone, ...short } = home;
  const replaced = await shop.send('PUT', `${path}/${added.body.id}`, { token, body: { ...short, country: 'FR' } });
  assert.deepEqual([replaced.status, replaced.body], [200, { id: added.body.id, ...short, country: 'FR' }]);
  assert.deepEqual((await list()).items, [replaced.body], 'what was left out is gone');

  const remove = () => shop.send('DELETE', `${path}/${added.body.id}`, { token });
  assert.equal((await remove()).status, 204);
  assert.equal((await remove()).status, 404);
  assert.deepEqual(await list(), { items: [], nextCursor: null });
});

test('a field that is missing, unknown, of another type or out of range is refused by name', async () => {
  const { accessToken: token } = await shop.register();
  const cases: [string, object][] = [
    ['line1', { ...home, line1: undefined }],
    ['postcode', { ...home, postcode: 'x'.repeat(21) }],
    ['city', { ...home, city: '   ' }],
    ['name', { ...home, name: 7 }],
    ['phone', { ...home, phone: 'a\u0000b' }],
    ['country', { ...home, country: 'gb' }],
    ['country', { ...home, country: 'ZZ' }],
    ['country', { ...home, country: 'GBR' }],
    ['line2', { ...home, line2: { $gt: '' } }],
    ['id', { ...home, id: 'mine' }],
    ['userId', { ...home, userId: 'other' }],
  ];
  for (const [field, body] of cases) {
    const answer = await shop.send('POST', path, { token, body });
    assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request'], JSON.stringify(body));
    assert.ok(
      answer.body.errors.some((error: { path: string }) => error.path === field),
      JSON.stringify(answer.body),
    );
  }
  assert.deepEqual((await shop.send('GET', path, { token })).body.items, []);
});

test('text is stored exactly, whatever its script', async () => {
  const { accessToken: token } = await shop.register();
  const body = { ...home, name: '山田 太郎', line1: 'مثال ١٢', city: 'Zürich 🏔', country: 'CH' };
  const { id, ...stored } = (await shop.send('POST', path, { token, body })).body;
  assert.ok(id);
  assert.deepEqual(stored, body);
});

test('an address book holds 50 addresses, also when more are added at once, and is read in pages', async () => {
  const { accessToken: token } = await shop.register();
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      shop.send('POST', path, { token, body: { ...home, line1: `${index} Long Road` } }),
    ),
  );
  assert.equal(answers.filter(answer => answer.status === 201).length, 50);
  const refused = answers.filter(answer => answer.status !== 201);
  assert.ok(refused.every(answer => answer.status === 409 && answer.body.code === 'address_book_full'));

  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const answer = await shop.send('GET', `${path}?limit=20${cursor ? `&cursor=${cursor}` : ''}`, { token });
    seen.push(...answer.body.items.map((item: { id: string }) => item.id));
    cursor = answer.body.nextCursor;
  }
  assert.equal(seen.length, 50);
  assert.deepEqual(seen, [...new Set(seen)].toSorted());
  const broken = await shop.send('GET', `${path}?cursor=broken`, { token });
  assert.deepEqual([broken.status, broken.body.code], [400, 'invalid_cursor']);
});

test('somebody else’s address does not exist', async () => {
  const [owner, stranger] = [await shop.register(), await shop.register()];
  const { id } = (await shop.send('POST', path, { token: owner.accessToken, body: home })).body;
  const put = await shop.send('PUT', `${path}/${id}`, { token: stranger.accessToken, body: { ...home, city: 'Bath' } });
  const del = await shop.send('DELETE', `${path}/${id}`, { token: stranger.accessToken });
  assert.deepEqual([put.status, del.status], [404, 404]);
  assert.deepEqual((await shop.send('GET', path, { token: owner.accessToken })).body.items, [{ id, ...home }]);
});

test('services read an address of a user, with their own tokens only', async () => {
  const owner = await shop.register();
  const { body: address } = await shop.send('POST', path, { token: owner.accessToken, body: home });
  const read = (userId: string, addressId: string, token = shop.serviceToken()) =>
    shop.send('GET', `/internal/users/${userId}/addresses/${addressId}`, { token });
  const found = await read(owner.id, address.id);
  assert.deepEqual([found.status, found.body], [200, address]);
  const stranger = await shop.register();
  for (const [userId, addressId] of [
    [owner.id, 'unknown'],
    [stranger.id, address.id],
    ['unknown', address.id],
  ] as const) {
    const answer = await read(userId, addressId);
    assert.deepEqual([answer.status, answer.body.code], [404, 'not_found']);
  }
  assert.equal((await read(owner.id, address.id, owner.accessToken)).status, 401);
  assert.equal((await read(owner.id, address.id, (await shop.admin()).accessToken)).status, 401);
});
