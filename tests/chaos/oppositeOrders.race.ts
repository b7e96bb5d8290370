import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRaceShop, tally, together } from './races.testing.ts';

const [orders, pieces] = [200, 150];

test(`${orders} orders of two products in opposite order of lines, ${pieces} pieces of each: no deadlock, stock exact`, async () => {
  const { sell, order, stockOf, rest, books } = await startRaceShop();
  const [left, right] = [await sell('left', pieces), await sell('right', pieces)];
  const answers = await together(orders, orders, n => {
    const items = [left, right].map(productId => ({ productId, quantity: 1 }));
    return order({ key: `pair-${n}`, customer: n, items: n % 2 ? items : items.reverse() });
  });
  await rest();
  const outcomes = tally(answers.map(({ status, body }) => (status === 201 ? body.status : body.code)));
  // Whoever got one piece and not the other gave it back, so somebody may have been refused who could have been served.
  const { confirmed = 0, insufficient_stock: refused = 0 } = outcomes;
  process.stdout.write(`${JSON.stringify(outcomes)}\n`);
  assert.equal(confirmed + refused, orders);
  assert.ok(confirmed <= pieces && refused >= orders - pieces);
  assert.equal(await books.paid(), confirmed);
  for (const productId of [left, right]) {
    const { onHand, reserved, available } = await stockOf(productId);
    assert.deepEqual(
      { onHand, reserved, available },
      { onHand: pieces - confirmed, reserved: 0, available: pieces - confirmed },
    );
  }
});
