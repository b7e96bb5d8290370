import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { recordOf } from '../catalogue.testing.ts';
import { createCatalogue } from '../catalogue.ts';
import { shopperQueries } from './shopperQueries.ts';

/** Of thirty searches so many must find what the shopper expects among the first ten; the last run found all. */
const mustSucceed = 27;
const shown = 10;

describe('the searches of shoppers', () => {
  const file = process.env.TRADEPOST_CATALOGUE;

  test('are thirty, each once and answerable in ten rows', t => {
    if (!file) t.diagnostic('TRADEPOST_CATALOGUE names no file: the searches are not tried on real products');
    assert.equal(new Set(shopperQueries.map(one => one.search)).size, 30);
    for (const { search, expected, atLeast = expected.length } of shopperQueries) {
      assert.ok(atLeast > 0 && atLeast <= Math.min(shown, expected.length), search);
      assert.equal(new Set(expected).size, expected.length, search);
    }
  });

  // The rules of ranking are tested on an invented shop in search.unit.test.ts; this is the proof on real goods.
  if (file) test('find what is expected in the real catalogue', t => checkOn(file, line => t.diagnostic(line)));
});

function checkOn(file: string, say: (line: string) => void): void {
  const rows = parse<{ stockCode: string; description: string }>(readFileSync(file), { columns: true });
  let now = 0;
  const catalogue = createCatalogue(() => ++now);
  catalogue.apply(rows.map(row => recordOf({ sku: row.stockCode, name: row.description })));
  const misses = shopperQueries.filter(({ search, expected, atLeast = expected.length }) => {
    const { ids } = catalogue.find({ search, filters: {}, sort: 'relevance', limit: shown });
    return expected.filter(sku => ids.includes(sku)).length < atLeast;
  });
  const found = shopperQueries.length - misses.length;
  say(`${found} of ${shopperQueries.length} searches over ${rows.length} products found what is expected`);
  assert.ok(found >= mustSucceed, `missed: ${misses.map(one => one.search).join(' · ')}`);
}
