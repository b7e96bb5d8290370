import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readAdmin } from '@tradepost/local/dataFolder';
import { send } from '../api/send.ts';
import { root } from '../architecture/sourceFiles.ts';
import { startChildShop, temporaryFolder } from './childShop.ts';
import { eventually } from './testShop.ts';

const run = promisify(execFile);
const skus = Array.from({ length: 12 }, (_, index) => `SKU-${index}`);
const prices = skus.map((_, index) => 50 + index * 35);

/** Forty orders of seven customers, and between them what cannot be played. */
function orderLines(): string[] {
  const orders = Array.from({ length: 40 }, (_, index) =>
    JSON.stringify({
      type: 'order',
      invoiceNo: String(1000 + index),
      customerId: index % 8 === 7 ? 'guest' : String(index % 7),
      country: index % 3 === 0 ? 'Germany' : 'United Kingdom',
      lines: [
        { stockCode: skus[index % 12], quantity: 1 + (index % 5), unitPrice: 1 },
        { stockCode: skus[(index * 5 + 1) % 12], quantity: 2, unitPrice: 1 },
        { stockCode: skus[index % 12], quantity: 3, unitPrice: 1 },
      ],
    }),
  );
  return [...orders.slice(0, 20), '{"type":"cancel","invoiceNo":"C1","lines":[]}', 'dirt', ...orders.slice(20)];
}

const expectedPence = Array.from({ length: 40 }).reduce<number>(
  (sum, _, index) => sum + (4 + (index % 5)) * (prices[index % 12] ?? 0) + 2 * (prices[(index * 5 + 1) % 12] ?? 0),
  0,
);

test('a replay agrees with its files, goes on after a kill of shop and tool, and places no order twice', async () => {
  const folder = temporaryFolder();
  const [catalogue, orders] = [join(folder, 'catalogue.csv'), join(folder, 'orders.ndjson')];
  const rows = skus.map((sku, index) => `${sku},PRODUCT ${index},${prices[index]},2010-12-01,${index}`);
  writeFileSync(
    catalogue,
    `stockCode,description,unitPricePence,firstSeen,unitsSoldShared\n${rows.join('\n')}\nBAD,,x,,\n`,
  );
  writeFileSync(orders, `${orderLines().join('\n')}\n`);
  const settings = { DATA_DIR: join(folder, 'data'), AUTH_RATE_LIMIT: '1000000', SEED_DEMO: 'false' };
  const shop = startChildShop(settings);
  const url = await shop.ready();
  const replay = (...args: string[]) => {
    const all = [join(root, 'local', 'replay', 'cli.ts'), catalogue, orders, '--buyers', '4', ...args];
    return run(process.execPath, all, { cwd: root, env: { DATA_DIR: settings.DATA_DIR } });
  };

  const cut = replay();
  const killed = assert.rejects(cut);
  // Somewhere in the middle: some orders are placed, some are on their way, most are not begun.
  const token = (await send(url, 'POST', '/api/users/login', { body: readAdmin(settings.DATA_DIR) })).body.accessToken;
  const placed = async () => (await send(url, 'GET', '/api/orders', { token })).body.items.length;
  await eventually(placed, count => count >= 3, 60_000);
  shop.process.kill('SIGKILL');
  cut.child.kill('SIGKILL');
  await Promise.all([killed, shop.ended]);

  const again = startChildShop(settings);
  await again.ready();
  const done = await replay();
  assert.match(done.stderr, /catalogue line 14 skipped: description/);
  assert.match(done.stderr, /orders line 22 skipped: is not JSON/);
  assert.match(done.stderr, /1 cancels skipped/);
  assert.match(done.stdout, /^orders +40 of 40 confirmed/m);
  assert.match(done.stdout, /^speed +[\d.]+ orders\/s, [\d.]+ s in all/m);
  assert.match(done.stdout, /^latency +p50 \d+ ms, p90 \d+ ms, p99 \d+ ms$/m);
  assert.match(
    done.stdout,
    new RegExp(`^totals +40 of 40 agree with the files, ${(expectedPence / 100).toFixed(2)} in all$`, 'm'),
  );
  assert.match(done.stdout, /^stock +12 of 12 products agree with the files$/m);

  const repeated = await replay();
  assert.match(repeated.stdout, /^orders +40 of 40 confirmed, 40 of them by an earlier run$/m);
  assert.doesNotMatch(repeated.stdout, /^speed/m);

  const second = await replay('--seed', 'once-more', '--limit', '10');
  assert.match(second.stdout, /^orders +10 of 10 confirmed/m);
  assert.match(second.stdout, /^stock +12 of 12/m);
  again.process.kill('SIGTERM');
  assert.equal(await again.ended, 0);
});
