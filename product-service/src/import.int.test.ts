import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { productCreated, productUpdated } from '@tradepost/shared/events/products';
import type { Message } from '@tradepost/shared/messaging/message';
import { createProductModel } from './models/productModel.ts';
import { eventually, startTestShop, type TestShop } from './products.testing.ts';
import { exportProducts } from './services/transfer/exportProducts.ts';

let shop: TestShop;
const heard: Message<{ productId: string; sku: string; version: number; initialStock?: number }>[] = [];

before(async () => {
  shop = await startTestShop({ idleMs: 500 });
  for (const message of [productCreated, productUpdated]) {
    await shop.bus.listen({ message, handle: async one => void heard.push(one as never) });
  }
});
after(() => shop.close());

const row = (sku: string, fields: object = {}) => ({
  sku,
  name: `Name ${sku}`,
  price: { amount: 5, currency: 'GBP' },
  ...fields,
});
const file = (rows: object[]) => rows.map(one => `${JSON.stringify(one)}\n`).join('');
const bySku = async (sku: string) => (await shop.send('GET', `/api/products?sku=${sku}`)).body.items[0];

describe('an import', () => {
  test('creates, changes and leaves alone, each with its messages', async () => {
    const rows = [row('I-1', { initialStock: 3 }), row('I-2', { category: 'A > B' })];
    const first = await shop.load(file(rows));
    assert.deepEqual([first.status, first.body], [200, { created: 2, updated: 0, unchanged: 0, rejected: [] }]);
    const made = await bySku('I-1');
    assert.deepEqual([made.availability, made.version], ['in_stock', 1]);
    const again = await shop.load(file([row('I-1', { initialStock: 99 }), row('I-2', { name: 'New' })]));
    assert.deepEqual(again.body, { created: 0, updated: 1, unchanged: 1, rejected: [] });
    assert.equal((await bySku('I-1')).version, 1, 'opening stock changes nothing on a known product');
    const changed = await bySku('I-2');
    assert.deepEqual([changed.name, changed.category, changed.version], ['New', 'A > B', 2]);
    const messages = await eventually(async () => {
      const found = heard.filter(one => one.data.sku.startsWith('I-'));
      return found.length >= 3 && found;
    });
    assert.deepEqual(messages.map(({ type, data }) => [type, data.sku, data.version, data.initialStock]).sort(), [
      ['product.created', 'I-1', 1, 3],
      ['product.created', 'I-2', 1, 0],
      ['product.updated', 'I-2', 2, undefined],
    ]);
  });

  test('keeps good rows and names the bad ones by line', async () => {
    const text = `${file([row('J-1')])}{"sku":"J-2"}\n{half\n${file([row('J-3'), row('J-1')])}`;
    const { status, body } = await shop.load(text);
    assert.equal(status, 200);
    assert.deepEqual([body.created, body.updated, body.unchanged], [2, 0, 1]);
    assert.deepEqual(
      body.rejected.map((one: { line: number; sku?: string }) => [one.line, one.sku]),
      [
        [2, 'J-2'],
        [3, undefined],
      ],
    );
    assert.ok(body.rejected[0].errors.some((error: { path: string }) => error.path === 'name'));
    assert.ok((await bySku('J-3')).id);
  });

  test('takes the last of rows with the same sku', async () => {
    const { body } = await shop.load(file([row('K-1'), row('K-1', { name: 'Two' }), row('K-1', { name: 'Three' })]));
    assert.deepEqual([body.created, body.updated], [1, 2]);
    assert.deepEqual([(await bySku('K-1')).name, (await bySku('K-1')).version], ['Three', 3]);
  });

  test('names a bounded number of bad rows and counts them all', async () => {
    const rejected = async () => {
      const metrics = await shop.registry.metrics();
      return Number(/product_import_rows_total\{.*outcome="rejected".*\} (\d+)/.exec(metrics)?.[1]);
    };
    const before = await rejected();
    const { body } = await shop.load('{}\n'.repeat(1_234));
    assert.deepEqual([body.rejected.length, body.rejectedCount], [1_000, 1_234]);
    assert.equal((await rejected()) - before, 1_234);
  });

  test('as CSV does the same', async () => {
    const text =
      '\ufeffsku,name,price,currency,images,initialStock\r\nL-1,"A ""b"", c",250,GBP,https://a.example/1,7\r\nL-2,x,y,GBP,,\r\n';
    const { body } = await shop.load(text, 'text/csv; charset=UTF-8');
    assert.deepEqual([body.created, body.rejected.map((one: { line: number }) => one.line)], [1, [3]]);
    const made = await bySku('L-1');
    assert.deepEqual(
      [made.name, made.price, made.images],
      ['A "b", c', { amount: 250, currency: 'GBP' }, ['https://a.example/1']],
    );
  });

  test('puts an archived product back on sale', async () => {
    const { id } = await shop.add({ sku: 'M-1' });
    await shop.send('DELETE', `/api/products/${id}`, { token: shop.admin });
    const { body } = await shop.load(file([row('M-1')]));
    assert.equal(body.updated, 1);
    assert.deepEqual([(await bySku('M-1')).id, (await bySku('M-1')).status], [id, 'active']);
  });

  test('twice at once makes each product once', async () => {
    const text = file(Array.from({ length: 700 }, (_, at) => row(`N-${at}`)));
    const results = await Promise.all([shop.load(text), shop.load(text), shop.load(text)]);
    const sum = (name: string) => results.reduce((total, one) => total + one.body[name], 0);
    assert.deepEqual([sum('created'), sum('updated'), sum('unchanged')], [700, 0, 1_400]);
    assert.equal(await shop.connection.models.Product!.countDocuments({ sku: /^N-/ }), 700);
  });

  test('of nothing does nothing', async () => {
    assert.deepEqual((await shop.load('')).body, { created: 0, updated: 0, unchanged: 0, rejected: [] });
  });

  test('refuses what it cannot read', async () => {
    const csv = await shop.load('sku;name\nA;b', 'text/csv');
    assert.deepEqual([csv.status, csv.body.code], [400, 'invalid_request']);
    assert.equal((await shop.load(Buffer.from('\ufeff{}', 'utf16le'))).status, 400);
    assert.equal((await shop.load('{}', 'application/json')).status, 415);
    assert.equal((await shop.load('a,b', 'text/csv; charset=windows-1252')).status, 415);
    const zipped = { 'Content-Type': 'text/csv', 'Content-Encoding': 'gzip' };
    const options = { token: shop.admin, headers: zipped, body: gzipSync('sku,name').toString('latin1') };
    assert.equal((await shop.send('POST', '/api/products/import', options)).status, 415);
  });

  test('of a sender that goes silent is given up; what came is kept and the next run goes on', async () => {
    const whole = file(Array.from({ length: 1_300 }, (_, at) => row(`O-${at}`)));
    const half = whole.slice(0, whole.length / 2);
    const stuck = new ReadableStream({ start: control => control.enqueue(Buffer.from(half)) });
    const { status, body } = await shop.load(stuck);
    assert.deepEqual([status, body.code], [408, 'request_timeout']);
    const before = await shop.connection.models.Product!.countDocuments({ sku: /^O-/ });
    assert.equal(before, half.split('\n').length - 1, 'every whole line');
    const again = await shop.load(whole);
    assert.deepEqual(again.body, { created: 1_300 - before, updated: 0, unchanged: before, rejected: [] });
  });

  test('of a sender that leaves in the middle of a line does not take the half line in', async () => {
    const socket = connect(Number(new URL(shop.url).port), '127.0.0.1');
    const rows = file([row('P-1'), row('P-2')]);
    socket.write(
      `POST /api/products/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${shop.admin}\r\n` +
        `Content-Type: application/x-ndjson\r\nContent-Length: 5000\r\n\r\n${rows.slice(0, -20)}`,
    );
    setTimeout(() => socket.destroy(), 100);
    await new Promise(resolve => socket.once('close', resolve));
    assert.ok(await eventually(() => bySku('P-1')));
    assert.equal(await bySku('P-2'), undefined);
  });
});

describe('an export', () => {
  test('imported again changes nothing, and fills an empty shop with the same products', async () => {
    await shop.add({ sku: 'Q-1', options: ['size'], description: 'ü "quoted"\nline', attributes: { a: 1, b: true } });
    const parent = await bySku('Q-1');
    await shop.add({ sku: 'Q-2', parentId: parent.id, attributes: { size: 'M' }, lowStockThreshold: 4 });
    const gone = await shop.add({ sku: 'Q-3' });
    await shop.send('DELETE', `/api/products/${gone.id}`, { token: shop.admin });
    const { status, headers, body } = await shop.send('GET', '/api/products/export', { token: shop.admin });
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'application/x-ndjson');
    assert.equal(headers.get('content-disposition'), 'attachment; filename="products.ndjson"');
    const rows = body
      .trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    assert.equal(rows.length, await shop.connection.models.Product!.countDocuments({ status: 'active' }));
    assert.ok(!rows.some((one: { sku: string }) => one.sku === 'Q-3'));
    assert.deepEqual(rows.at(-1), {
      ...{ sku: 'Q-2', name: 'Q-2', description: '', category: null, price: { amount: 100, currency: 'GBP' } },
      ...{ images: [], attributes: { size: 'M' }, lowStockThreshold: 4, parentSku: 'Q-1' },
    });
    const again = await shop.load(body);
    assert.deepEqual(again.body, { created: 0, updated: 0, unchanged: rows.length, rejected: [] });

    const other = await startTestShop();
    try {
      assert.equal((await other.load(body)).body.created, rows.length);
      const copy = await other.send('GET', '/api/products/export', { token: other.admin });
      assert.equal(copy.body, body);
      const variant = (await other.send('GET', '/api/products?sku=Q-2')).body.items[0];
      const made = (await other.send('GET', '/api/products?sku=Q-1')).body.items[0];
      assert.equal(variant.parentId, made.id);
    } finally {
      await other.close();
    }
  });

  test('is given up when nobody reads on', async () => {
    await shop.load(file(Array.from({ length: 1_600 }, (_, at) => row(`R-${at}`))));
    const stream = exportProducts(createProductModel(shop.connection), 50);
    assert.match((await stream[Symbol.asyncIterator]().next()).value, /^\{"sku":/);
    const [error] = await once(stream, 'error');
    assert.match(error.message, /has stopped/);
  });
});
