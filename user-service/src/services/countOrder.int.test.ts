import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Connection } from 'mongoose';
import { createConfirmedOrderModel } from '../models/confirmedOrderModel.ts';
import { createUserModel } from '../models/userModel.ts';
import { openTestDatabase, storeUser } from '../testing/database.ts';
import { createCountOrder } from './countOrder.ts';

let database: { connection: Connection; close(): Promise<void> };
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

test('the count is the number of different orders, however often and how many at once they are told', async () => {
  const users = createUserModel(database.connection);
  const confirmedOrders = createConfirmedOrderModel(database.connection);
  const countOrder = createCountOrder({ users, confirmedOrders });
  const { _id: userId } = await storeUser(users);
  const orderIds = Array.from({ length: 20 }, (_, index) => `order-${index}`);
  await Promise.all([...orderIds, ...orderIds].map(orderId => countOrder({ orderId, userId })));
  const count = () => confirmedOrders.countDocuments({ userId });
  assert.equal(await count(), 20);
  for (const orderId of orderIds) await countOrder({ orderId, userId });
  assert.equal(await count(), 20);
  await countOrder({ orderId: 'one more', userId });
  assert.equal(await count(), 21);
});
