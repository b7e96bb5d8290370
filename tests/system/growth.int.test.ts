import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { seeded } from '@tradepost/shared/testing/seeded';
import { type Databases, openDatabases } from '../../bench/growth/databases.ts';
import { generate } from '../../bench/growth/generate.ts';
import { customerPassword, makeTemplates, type Templates } from '../../bench/growth/templates.ts';
import { eventually, startTestShop } from './testShop.ts';

const seed = 7;
const orders = 400;

describe(`orders that were made up, seed ${seed}`, async () => {
  const shop = await startTestShop();
  let [databases, templates]: [Databases, Templates] = [] as never;
  let customers: { id: string; email: string }[];
  let admin: string;
  before(async () => {
    databases = await openDatabases(shop.mongodbUri);
    admin = await shop.adminToken();
    const listed = await shop.send('GET', '/api/products?limit=100');
    for (const { id } of listed.body.items) {
      await shop.send('PATCH', `/api/inventory/${id}`, { token: admin, body: { onHand: 1_000_000 } });
    }
    const random = seeded(seed);
    templates = await makeTemplates({ shop, databases, mongodbUri: shop.mongodbUri, random });
    const made = { databases, templates, orders, days: 100, random, onProgress() {} };
    customers = await generate(made);
  });
  after(() => databases?.close());

  test('leave the books as clean as real ones', async () => {
    const { body } = await eventually(
      () => shop.send('GET', '/api/operations/audit?patienceMs=0', { token: admin }),
      answer => answer.body.clean === true,
    );
    const { checked } = body.checks.find((one: { check: string }) => one.check === 'view');
    assert.equal(checked, orders + templates.orders.length);
  });

  test("are their customers' own, and the shop goes on with them", async () => {
    const [customer] = customers;
    const login = { email: customer?.email, password: customerPassword };
    const { accessToken: token, user } = (await shop.send('POST', '/api/users/login', { body: login })).body;
    assert.equal(user.id, customer?.id);
    const own = (await shop.send('GET', '/api/orders?limit=100', { token })).body.items;
    const bought = own.filter((one: { status: string }) => one.status === 'delivered');
    assert.ok(bought.length > 10);
    const { id, items } = bought.at(-1);
    const one = await shop.send('GET', `/api/orders/${id}`, { token });
    assert.deepEqual([one.status, one.body.payment.status], [200, 'captured']);
    const paid = await shop.send('GET', `/api/payments?orderId=${id}`, { token });
    assert.equal(paid.body.items[0].amount.amount, one.body.total.amount);
    const counted = () => databases.collection('user-service/confirmed_orders').countDocuments({ userId: user.id });
    const before = await counted();
    assert.ok(before > bought.length - 1);
    assert.equal((await shop.orderToEnd(token, [{ productId: items[0].productId, quantity: 1 }])).status, 201);
    await eventually(counted, now => now === before + 1);
  });
});
