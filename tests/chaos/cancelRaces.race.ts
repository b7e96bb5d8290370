import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestAnswer } from '@tradepost/local/testing';
import { pause } from './load.ts';
import { startRaceShop, tally, together } from './races.testing.ts';
import { attempt } from './shopProcess.ts';

const races = 100;
const [atOnce, pieces] = [10, 1_000];
/** Makes the steps of an order last long enough for a cancel to come in between. */
const slowMs = 30;
const slow = [
  'order.saga.afterReserve',
  'order.saga.beforeCharge',
  'order.append.before.PaymentCaptured',
  'order.saga.beforeCommit',
].map(point => ({ point, ms: slowMs, oneIn: 2 }));

test(`${races} races of cancel against confirm: the cancel holds, money and stock are back to the last piece`, async () => {
  const { sell, order, stockOf, rest, books, shop, world, random } = await startRaceShop({ delays: slow });
  const productId = await sell('regretted', pieces);
  const items = [{ productId, quantity: 1 }];

  // A cancel comes at a random moment of the time that an order takes here and now.
  const began = performance.now();
  await together(atOnce, atOnce, n => order({ key: `kept-${n}`, customer: n, items }));
  const spreadMs = performance.now() - began;

  /** Cancels until the shop knows the order. */
  async function cancel(key: string, customer: number): Promise<TestAnswer | undefined> {
    const token = world.customers[customer % world.customers.length] as string;
    const afterMs = random() * spreadMs;
    let orderId = await books.orderIdOf(key);
    while (orderId === undefined) {
      await pause(2);
      orderId = await books.orderIdOf(key);
    }
    await pause(afterMs);
    let answer = await attempt(shop, 'POST', `/api/orders/${orderId}/cancel`, { token });
    while (answer === undefined || answer.status === 404 || answer.status >= 500) {
      await pause(5);
      answer = await attempt(shop, 'POST', `/api/orders/${orderId}/cancel`, { token });
    }
    return answer;
  }

  const outcomes = await together(races, atOnce, async n => {
    const key = `regret-${n}`;
    const [placed, cancelled] = await Promise.all([order({ key, customer: n, items }), cancel(key, n)]);
    assert.equal(cancelled?.status, 200);
    assert.equal(cancelled.body.status, 'cancelled');
    return placed.status === 201 ? 'confirmed first' : String(placed.body.code);
  });
  process.stdout.write(`${JSON.stringify(tally(outcomes))}\n`);
  await rest();
  assert.equal(await books.paid(), atOnce);
  const { onHand, reserved, available } = await stockOf(productId);
  assert.deepEqual(
    { onHand, reserved, available },
    { onHand: pieces - atOnce, reserved: 0, available: pieces - atOnce },
  );
});
