import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { startTestInventory, until } from '../inventory.testing.ts';
import { createLedgerModel } from '../models/ledger.ts';
import { createStockModel } from '../models/stock.ts';
import { createStockAudit, type StockAudit } from './auditStock.ts';

let shop: Awaited<ReturnType<typeof startTestInventory>>;
let audit: StockAudit;
before(async () => {
  shop = await startTestInventory();
  const [stocks, ledger] = [createStockModel(shop.connection), createLedgerModel(shop.connection)];
  // No time for a second product of a page, and a few movements at once.
  audit = createStockAudit({ stocks, ledger, failpoint: () => {}, pageMs: -1, atOnce: 3 });
  for (const productId of ['a', 'b', 'c']) {
    await shop.open(productId, 5);
    for (let n = 1; n <= 8; n += 1) {
      const body = { adjustBy: n, reason: 'delivery' };
      await shop.send('PATCH', `/api/inventory/${productId}`, { token: shop.admin(), body });
    }
  }
  await until(async () => (await ledger.countDocuments()) === 27);
});
after(() => shop.close());

async function auditAll() {
  const pages = [];
  for (let next: string | undefined; ; ) {
    const page = await audit.products({ after: next, limit: 100 });
    pages.push(page.items);
    next = page.next;
    if (next === undefined) return pages;
  }
}

it('ends a page when it takes long, and leaves out no product', async () => {
  const pages = await auditAll();
  assert.deepEqual(
    pages.map(items => items.map(({ productId, seq, discrepancies }) => [productId, seq, discrepancies])),
    ['a', 'b', 'c'].map(productId => [[productId, 9, []]]),
  );
});

it('adds up a long ledger piece by piece and misses none', async () => {
  const ledger = shop.connection.collection('ledger');
  for (const seq of [1, 3, 4, 6, 7, 9]) {
    const [was] = await ledger.find({ productId: 'b', seq }).toArray();
    await ledger.updateOne({ productId: 'b', seq }, { $inc: { quantity: 1 } });
    const found = (await auditAll()).flat().filter(({ discrepancies }) => discrepancies.length > 0);
    assert.deepEqual(
      found.map(({ productId, discrepancies }) => [productId, discrepancies]),
      [['b', [{ code: 'on_hand_differs_from_ledger', expected: 42, actual: 41 }]]],
    );
    await ledger.replaceOne({ productId: 'b', seq }, was as object);
  }
});
