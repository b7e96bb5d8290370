import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRaceShop, tally, together } from './races.testing.ts';

const races = 100;
const [atOnce, pieces] = [10, 1_000];
const holdMs = 150;
/** A hold is pinned for its charge just before it expires, just after, or at the same time. */
const delays = [
  { point: 'order.saga.beforePin', ms: holdMs, oneIn: 1 },
  { point: 'inventory.pin.beforeWrite', ms: 20, oneIn: 2 },
  { point: 'inventory.expire.beforeWrite', ms: 20, oneIn: 2 },
];

test(`${races} races of expiry against charge: paid and sold, or neither`, async () => {
  const settings = { HOLD_TTL_MS: String(holdMs), HOLD_SWEEP_INTERVAL_MS: '10' };
  const { sell, order, stockOf, rest, books } = await startRaceShop({ settings, delays });
  const productId = await sell('fleeting', pieces);
  const answers = await together(races, atOnce, n =>
    order({ key: `late-${n}`, customer: n, items: [{ productId, quantity: 1 }] }),
  );
  const outcomes = tally(answers.map(({ status, body }) => (status === 201 ? 'confirmed' : String(body.code))));
  process.stdout.write(`${JSON.stringify(outcomes)}\n`);
  await rest();
  const { confirmed = 0 } = outcomes;
  assert.equal(await books.paid(), confirmed);
  const { onHand, reserved, available } = await stockOf(productId);
  assert.deepEqual(
    { onHand, reserved, available },
    { onHand: pieces - confirmed, reserved: 0, available: pieces - confirmed },
  );
});
