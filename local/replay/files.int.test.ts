import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readCatalogue } from './catalogue.ts';
import { readOrders } from './orders.ts';
import { countryCode } from './play.ts';

const folder = mkdtempSync(join(tmpdir(), 'tradepost-replay-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const retail = [
  'stockCode,description,unitPricePence,firstSeen,unitsSoldShared',
  'A1,"KNOB, BLUE",85,2010-12-01,860',
  'A2,BELL,x,2010-12-01,3',
  'A3,TOO,FEW',
  'A1,KNOB AGAIN,90,2010-12-01,1',
  'A4,"TWO',
  'LINES",125,2010-12-01,7',
].join('\n');

describe('a product file', () => {
  test('in the columns of the retail catalogue', () => {
    const { products, rejected } = readCatalogue(file('retail.csv', `\uFEFF${retail}\n`));
    assert.deepEqual(products, [
      { line: 2, sku: 'A1', name: 'KNOB, BLUE', price: { amount: 85, currency: 'GBP' }, stock: 860 },
      { line: 7, sku: 'A4', name: 'TWO\nLINES', price: { amount: 125, currency: 'GBP' }, stock: 7 },
    ]);
    assert.deepEqual(
      rejected.map(one => one.line),
      [3, 4, 5],
    );
    assert.match(rejected[0]?.reason ?? '', /unitPricePence/);
    assert.match(rejected[2]?.reason ?? '', /A1 was there before/);
  });

  test('in our own fields, as CSV and as NDJSON', () => {
    const csv = 'sku,name,category,price,currency,initialStock\nB1,Lamp,Light,1200,EUR,9\nB2,Mat,,300,EUR,\n';
    const json = [
      '{"sku":"B1","name":"Lamp","category":"Light","price":{"amount":1200,"currency":"EUR"},"initialStock":9}',
      '',
      '{"sku":"B2","name":"Mat","price":{"amount":300,"currency":"EUR"}}',
      '{"sku":"B3","price":{"amount":1,"currency":"EUR"}}',
      '{"sku":',
    ].join('\n');
    const [fromCsv, fromJson] = [readCatalogue(file('own.csv', csv)), readCatalogue(file('own.ndjson', json))];
    const price = (amount: number) => ({ amount, currency: 'EUR' });
    assert.deepEqual(fromCsv.rejected, []);
    assert.partialDeepStrictEqual(fromCsv.products, [
      { line: 2, sku: 'B1', name: 'Lamp', category: 'Light', price: price(1200), stock: 9 },
      { line: 3, sku: 'B2', name: 'Mat', price: price(300), stock: 0 },
    ]);
    assert.partialDeepStrictEqual(fromJson.products, [
      { line: 1, sku: 'B1', name: 'Lamp', category: 'Light', price: price(1200), stock: 9 },
      { line: 3, sku: 'B2', name: 'Mat', price: price(300), stock: 0 },
    ]);
    assert.deepEqual(
      fromJson.rejected.map(one => one.line),
      [4, 5],
    );
  });
});

describe('an order file', () => {
  const products = new Map(
    readCatalogue(
      file('catalogue.csv', 'stockCode,description,unitPricePence\nA1,KNOB,85\nA4,BELL,125\n'),
    ).products.map(product => [product.sku, product]),
  );
  const order = (invoiceNo: string, ...lines: [string, number][]) =>
    JSON.stringify({
      type: 'order',
      invoiceNo,
      customerId: '17850',
      country: 'France',
      lines: lines.map(([stockCode, quantity]) => ({ stockCode, quantity, unitPrice: 1 })),
    });
  const content = [
    order('1', ['A1', 6], ['A4', 2], ['A1', 4]),
    '{"type":"cancel","invoiceNo":"C2","lines":[]}',
    'not json',
    order('3', ['A9', 1]),
    order('4', ['A1', 60_000], ['A1', 40_001]),
    order('5', ['A1', 0]),
    order('1', ['A1', 1]),
    order('6', ['A1', 100_000]),
    order('7', ['A4', 1]),
  ].join('\n');

  for (const [kind, bytes] of [
    ['plain', content],
    ['gzipped', gzipSync(content)],
  ] as const) {
    test(`${kind}: lines of one product are merged, totals are the catalogue's, bad lines are named`, async () => {
      const { orders, cancels, rejected } = await readOrders(file(`orders ${kind}`, bytes), products, 2);
      assert.deepEqual(orders, [
        {
          line: 1,
          invoiceNo: '1',
          customerId: '17850',
          country: 'France',
          quantities: new Map([
            ['A1', 10],
            ['A4', 2],
          ]),
          expectedTotal: 10 * 85 + 2 * 125,
        },
        {
          line: 8,
          invoiceNo: '6',
          customerId: '17850',
          country: 'France',
          quantities: new Map([['A1', 100_000]]),
          expectedTotal: 8_500_000,
        },
      ]);
      assert.equal(cancels, 1);
      assert.deepEqual(
        rejected.map(one => one.line),
        [3, 4, 5, 6, 7],
      );
      assert.match(rejected[2]?.reason ?? '', /100001 pieces of A1 are more than 100000/);
    });
  }

  test('that is cut off or missing is an error, not a short file', async () => {
    const cut = file('cut.gz', gzipSync(content.repeat(200)).subarray(0, 500));
    await assert.rejects(readOrders(cut, products, 10_000), { code: 'Z_BUF_ERROR' });
    await assert.rejects(readOrders(join(folder, 'none'), products, 1), { code: 'ENOENT' });
  });
});

test('countries have their codes', () => {
  assert.deepEqual(['France', 'United Kingdom', 'EIRE', 'USA', 'Nowhere'].map(countryCode), [
    'FR',
    'GB',
    'IE',
    'US',
    'GB',
  ]);
});
