import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { tour } from '@tradepost/local/tour';
import { root } from '../architecture/sourceFiles.ts';
import { startTestShop } from './testShop.ts';

describe('the walk through the shop', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');

  test('stands in the README as npm start prints it', () => {
    const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(match => match[1]);
    assert.ok(blocks.includes(tour('http://localhost:3000')));
  });

  test('ends with a confirmed order and lower stock', async () => {
    const shop = await startTestShop();
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', tour(shop.url)]);
    assert.equal(stderr, '');
    const [before, order, after, ...rest] = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.deepEqual(rest, []);
    assert.equal(order.status, 'confirmed');
    assert.equal(order.items[0].productId, before.productId);
    assert.deepEqual(order.total, { amount: 6900, currency: 'GBP' });
    assert.equal(after.productId, before.productId);
    assert.equal(after.available, before.available - 2);
  });
});
