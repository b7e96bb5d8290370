import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRaceShop, tally, together } from './races.testing.ts';

const [buyers, pieces] = [500, 50];
const rounds = 20;

test(`${buyers} buyers on ${pieces} pieces, ${rounds} rounds: sold exactly, paid exactly, everybody answered`, async () => {
  const { sell, order, stockOf, rest, books } = await startRaceShop({ customers: 8 });
  const sold: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const productId = await sell(`last-pieces-${round}`, pieces);
    sold.push(productId);
    const answers = await together(buyers, buyers, buyer =>
      order({ key: `round-${round}-${buyer}`, customer: buyer, items: [{ productId, quantity: 1 }] }),
    );
    process.stdout.write(`round ${round + 1}: ${(performance.now() - began).toFixed(0)} ms\n`);
    const outcomes = answers.map(({ status, body }) => (status === 201 ? body.status : body.code));
    assert.deepEqual(tally(outcomes.sort()), { confirmed: pieces, insufficient_stock: buyers - pieces });
    assert.equal(new Set(answers.map(({ body }) => body.id ?? body.orderId)).size, buyers);
  }
  await rest();
  assert.equal(await books.paid(), rounds * pieces);
  for (const productId of sold) {
    const { onHand, reserved, available } = await stockOf(productId);
    assert.deepEqual({ onHand, reserved, available }, { onHand: 0, reserved: 0, available: 0 });
  }
});
