import { test } from 'node:test';
import { createLocalBus } from '@tradepost/local/bus/localBus';
import { databaseUri } from '@tradepost/local/infrastructure';
import { systemClock } from '@tradepost/shared/clock';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { createConnection } from '@tradepost/shared/mongo';
import { deadLetterSuite } from './deadLetterSuite.ts';
import { eventually, startTestShop } from './testShop.ts';

test('dead letters are listed and put back by the operator, and the consumers live on', async t => {
  const shop = await startTestShop();
  const connection = createConnection(databaseUri(shop.mongodbUri, 'bus'));
  await connection.asPromise();
  const bus = await createLocalBus({ connection, clock: systemClock, newId, logger: silentLogger() });
  t.after(async () => {
    await bus.close();
    await connection.close();
  });
  const { token: customerToken } = await shop.register();
  await deadLetterSuite({
    ...{ send: shop.send, adminToken: await shop.adminToken(), customerToken },
    publish: message => bus.publish('orders', message),
    until: look => eventually(look, Boolean, 20_000).then(() => {}),
  });
  // The queues go on behind their dead letters.
  const { id: productId } = await shop.productBySku('KIT-TEAPOT');
  const before = await shop.stockOf(productId);
  const order = await shop.orderToEnd(customerToken, [{ productId, quantity: 1 }]);
  await shop.send('POST', `/api/orders/${order.body.id}/cancel`, { token: customerToken });
  await eventually(
    () => shop.stockOf(productId),
    ({ available }) => available === before.available,
  );
});
