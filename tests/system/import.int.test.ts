import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { root } from '../architecture/sourceFiles.ts';
import { temporaryFolder } from './childShop.ts';
import { startTestShop } from './testShop.ts';

const shop = await startTestShop();
const folder = temporaryFolder();
const { email, password } = shop.admin;

/** Runs `npm run import` on a file with this content. */
function runImport(name: string, content: string | Buffer, ...args: string[]) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
    const env = { ADMIN_EMAIL: email, ADMIN_PASSWORD: password, DATA_DIR: folder };
    const command = [join(root, 'local', 'commands', 'import.ts'), path, ...args];
    execFile(process.execPath, command, { cwd: root, env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

const rows = Array.from({ length: 2_000 }, (_, n) => ({
  sku: `ROW-${n}`,
  name: `Row ${n}`,
  price: { amount: 100 + n, currency: 'GBP' },
}));
const ndjson = (some: object[]) => some.map(row => JSON.stringify(row)).join('\n');

test('imports a file, names bad rows by line, and goes on where it ended', async () => {
  const half = await runImport('half.ndjson', ndjson(rows.slice(0, 900)), '--url', shop.url);
  assert.deepEqual([half.code, half.stderr], [0, '']);
  assert.match(half.stdout, /^900 rows in [\d.]+ s, \d+ rows\/s: 900 created, 0 updated, 0 unchanged, 0 refused\n$/);

  const whole = [...rows.slice(0, 1_000), { sku: 'BAD', name: '' }, ...rows.slice(1_000)];
  const again = await runImport('all.jsonl.gz', gzipSync(ndjson(whole)), '--url', shop.url);
  assert.equal(again.code, 1);
  assert.match(
    again.stdout,
    /^line 1001 \(BAD\): .*name.*\n2001 rows .*: 1100 created, 0 updated, 900 unchanged, 1 refused\n$/,
  );

  const csv = await runImport('one.csv', 'sku,name,price,currency\nROW-0,"Row, zero",7,GBP\n', '--url', shop.url);
  assert.match(csv.stdout, /0 created, 1 updated, 0 unchanged, 0 refused/);
  const { price, name } = (await shop.send('GET', '/api/products?sku=ROW-0')).body.items[0];
  assert.deepEqual([price.amount, name], [7, 'Row, zero']);
});

test('says in one line what is wrong', async () => {
  const cases: [RegExp, ...Parameters<typeof runImport>][] = [
    [/--type must be csv or ndjson for .*products\.txt/, 'products.txt', '', '--url', shop.url],
    [/^No shop runs on /, 'a.csv', ''],
    [/does not answer: .*(ECONNREFUSED|bad port)/, 'a.csv', '', '--url', 'http://127.0.0.1:9'],
    [/incorrect header check/, 'b.csv.gz', 'not packed', '--url', shop.url],
    [/Unknown option '--nothing'/, 'a.csv', '', '--nothing'],
  ];
  for (const [expected, ...run] of cases) {
    const { code, stderr, stdout } = await runImport(...run);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, expected);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});
