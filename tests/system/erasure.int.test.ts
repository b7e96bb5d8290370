import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConnection } from '@tradepost/shared/mongo';
import { address, eventually, startTestShop } from './testShop.ts';

/** What a person says of themselves, in words that nobody else uses. */
const person = {
  name: 'Wilhelmina Jabberwock',
  email: 'wilhelmina.quux@example.com',
  line1: '77 Quixotic Lane',
  phone: '+441632960961',
  userAgent: 'VexingZephyr/7',
};
const password = 'a long enough password';

test('a deleted account leaves nothing of the person in any database, and its orders without a name', async () => {
  const shop = await startTestShop();
  const connection = await createConnection(shop.mongodbUri).asPromise();
  /** Every document of the shop that says who somebody is, by where it is. */
  const telling = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const { name } of (await connection.getClient().db('admin').admin().listDatabases()).databases) {
      const database = connection.getClient().db(name);
      for (const { name: collection } of await database.listCollections().toArray()) {
        for await (const document of database.collection(collection).find()) {
          const text = JSON.stringify(document);
          for (const word of Object.values(person))
            if (text.includes(word)) found.push(`${name}.${collection}: ${word}`);
        }
      }
    }
    return found;
  };
  const { name, email, line1, phone, userAgent } = person;
  const headers = { 'User-Agent': userAgent };
  const registered = await shop.send('POST', '/api/users/register', { body: { email, password, name }, headers });
  const { accessToken: token, user } = registered.body;
  const home = { ...address, name, line1, phone };
  const { id: addressId } = (await shop.send('POST', '/api/users/me/addresses', { token, body: home })).body;
  const productId = (await shop.productBySku('STA-NOTE')).id;
  const place = (key: string, quantity: number, where: object) =>
    shop.send('POST', '/api/orders', {
      token,
      headers: { 'Idempotency-Key': key },
      body: { items: [{ productId, quantity }], payment: { token: 'tok_visa' }, ...where },
    });
  const orders = [await place('one', 1, { addressId }), await place('two', 1, { shippingAddress: home })];
  assert.deepEqual(
    orders.map(order => order.status),
    [201, 201],
  );
  assert.equal((await place('three', 100_000, { shippingAddress: home })).status, 409);
  await shop.send('POST', '/api/users/login', { body: { email, password: 'wrong wrong wrong' } });
  const before = (await telling()).map(one => one.split(':', 1)[0]);
  assert.ok(new Set(before).size >= 3, `the person is in ${[...new Set(before)]}`);

  assert.equal((await shop.send('DELETE', '/api/users/me', { token })).status, 204);
  await eventually(telling, found => found.length === 0);
  const admin = await shop.adminToken();
  for (const { body } of orders) {
    const kept = await shop.send('GET', `/api/orders/${body.id}`, { token: admin });
    assert.deepEqual([kept.status, kept.body.userId, kept.body.shippingAddress], [200, user.id, null]);
    assert.deepEqual(kept.body.total, body.total);
  }
  await connection.close();
});
