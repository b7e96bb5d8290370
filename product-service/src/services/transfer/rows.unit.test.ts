import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isAppError } from '@tradepost/shared/errors';
import fc from 'fast-check';
import { type Line, maxLineBytes, readLines, withIdleLimit } from './lines.ts';
import { type ReadRow, readCsv, readNdjson } from './rows.ts';

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const lines = (file: string | Buffer, size = 7): Promise<Line[]> =>
  Array.fromAsync(readLines(chunksOf(Buffer.from(file as string), size)));
const ndjson = (file: string | Buffer): Promise<ReadRow[]> =>
  Array.fromAsync(readNdjson(readLines(chunksOf(Buffer.from(file as string), 7))));
const csv = (file: string | Buffer): Promise<ReadRow[]> =>
  Array.fromAsync(readCsv(readLines(chunksOf(Buffer.from(file as string), 7))));

describe('lines', () => {
  test('are the same however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\n', '\r\n') }),
        fc.nat(9),
        async (text, size) => {
          const expected = text.split('\n').map(line => line.replace(/\r$/, ''));
          if (expected.at(-1) === '' && !text.endsWith('\r')) expected.pop();
          const read = await lines(text, size + 1);
          assert.deepEqual(
            read,
            expected.map((line, at) => ({ number: at + 1, text: line })),
          );
        },
      ),
    );
  });

  test('lose a byte order mark, and a last one needs no end', async () => {
    assert.deepEqual(await lines('\ufeffa\r\nb'), [
      { number: 1, text: 'a' },
      { number: 2, text: 'b' },
    ]);
    assert.deepEqual(await lines(''), []);
    assert.deepEqual(await lines('a'), [{ number: 1, text: 'a' }]);
    assert.deepEqual(await lines('\n'), [{ number: 1, text: '' }]);
  });

  test('in another encoding are reported one by one', async () => {
    const latin1 = Buffer.concat([Buffer.from('a\ncaf'), Buffer.from([0xe9]), Buffer.from('\nb\n')]);
    assert.deepEqual(await lines(latin1), [
      { number: 1, text: 'a' },
      { number: 2, problem: 'is not UTF-8' },
      { number: 3, text: 'b' },
    ]);
  });

  test('in UTF-16 are refused altogether', async () => {
    for (const file of [Buffer.from('\ufeffa\nb', 'utf16le'), Buffer.from('\ufeffa\nb', 'utf16le').swap16()]) {
      await assert.rejects(lines(file, 1), (error: unknown) => isAppError(error, 'invalid_request'));
    }
  });

  test('that are too long are passed over without being held', async () => {
    const long = 'x'.repeat(maxLineBytes * 3 + 1);
    const problem = `is longer than ${maxLineBytes} bytes`;
    assert.deepEqual(await lines(`a\n${long}\nb\n${long}`, 60_000), [
      { number: 1, text: 'a' },
      { number: 2, problem },
      { number: 3, text: 'b' },
      { number: 4, problem },
    ]);
    assert.deepEqual(await lines(`${'x'.repeat(maxLineBytes)}\n`, 60_000), [
      { number: 1, text: 'x'.repeat(maxLineBytes) },
    ]);
  });
});

describe('an idle limit', () => {
  test('gives up on a source that sends nothing', async () => {
    async function* stuck(): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      await new Promise(() => {});
    }
    const read: string[] = [];
    await assert.rejects(
      async () => {
        for await (const chunk of withIdleLimit(stuck(), 20)) read.push(chunk.toString());
      },
      (error: unknown) => isAppError(error, 'request_timeout'),
    );
    assert.deepEqual(read, ['a']);
  });

  test('says that a sender left in the middle', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('a');
      throw new Error('aborted');
    }
    await assert.rejects(Array.fromAsync(withIdleLimit(broken(), 1_000)), (error: unknown) =>
      isAppError(error, 'invalid_request'),
    );
  });
});

const good = '{"sku":"A","name":"a","price":{"amount":1,"currency":"GBP"}}';
const row = { sku: 'A', name: 'a', price: { amount: 1, currency: 'GBP' } };

describe('NDJSON', () => {
  test('gives rows, and passes empty lines over', async () => {
    assert.deepEqual(await ndjson(`\ufeff${good}\r\n\r\n  \n${good}`), [
      { line: 1, row },
      { line: 4, row },
    ]);
  });

  test('names the lines that are no good row, and why', async () => {
    const read = await ndjson(
      [
        good,
        '{"sku":"B","name":"b","price":{"amount":-1,"currency":"GBP"}}',
        '{"sku":"C","na',
        '[]',
        'null',
        '{"sku":"D","name":"d","price":{"amount":1,"currency":"GBP"},"colour":"red"}',
        '{"sku":"E","name":"e","price":{"amount":1,"currency":"GBP"},"images":["ftp://a.example/"]}',
        good,
        good.slice(0, -1),
      ].join('\n'),
    );
    assert.deepEqual(
      read.map(one => [one.line, one.errors ? one.sku : one.row.sku, one.errors?.map(error => error.path).join()]),
      [
        [1, 'A', undefined],
        [2, 'B', 'price.amount'],
        [3, undefined, ''],
        [4, undefined, 'body'],
        [5, undefined, 'body'],
        [6, 'D', 'colour'],
        [7, 'E', 'images.0'],
        [8, 'A', undefined],
        [9, undefined, ''],
      ],
    );
  });
});

describe('CSV', () => {
  const header = 'sku,name,price,currency';
  const first = (file: string) => csv(file).then(([read]) => read && !read.errors && read.row);

  test('takes all columns in any order', async () => {
    const file = [
      'currency,images,name,attributes,sku,price,category,description,initialStock,lowStockThreshold,options,parentSku',
      'GBP,https://a.example/1 https://a.example/2,"Mug, ""big""","{""size"":2}",A,250,Home > Mugs,"two\nlines",5,1,size|colour,P',
    ].join('\n');
    assert.deepEqual(await first(file), {
      sku: 'A',
      name: 'Mug, "big"',
      price: { amount: 250, currency: 'GBP' },
      description: 'two\nlines',
      category: 'Home > Mugs',
      images: ['https://a.example/1', 'https://a.example/2'],
      attributes: { size: 2 },
      lowStockThreshold: 1,
      options: ['size', 'colour'],
      initialStock: 5,
      parentSku: 'P',
    });
  });

  test('takes empty cells for absent fields, a mark, CRLF and blank lines', async () => {
    const file = `\ufeff${header},description,images\r\n\r\nA,a,1,GBP,,\r\n\r\n`;
    assert.deepEqual(await csv(file), [{ line: 3, row }]);
  });

  const wrong: [string, string, string][] = [
    ['a price with a point', 'A,a,1.50,GBP', 'price.amount'],
    ['a price with a sign', 'A,a,£1,GBP', 'price.amount'],
    ['a price that is missing', 'A,a,,GBP', 'price.amount'],
    ['a number in another notation', 'A,a,1e3,GBP', 'price.amount'],
    ['a currency that is missing', 'A,a,1,', 'price.currency'],
    ['a cell too few', 'A,a,1', ''],
    ['a cell too many', 'A,a,1,GBP,', ''],
    ['a quote inside a cell', 'A,a"b,1,GBP', ''],
    ['text after a quote', 'A,"a"b,1,GBP', ''],
    ['a quote that is never closed', 'A,"a,1,GBP', ''],
    ['half a line', 'A,', ''],
  ];
  for (const [name, bad, path] of wrong) {
    test(`names ${name} and keeps the rows round it`, async () => {
      const read = await csv(`${header}\nB,b,1,GBP\n${bad}\nC,"c ""c""",1,GBP\nD,d,1,GBP\n`);
      assert.deepEqual(
        read.map(one => (one.errors ? [one.line, one.errors[0]?.path] : [one.line, one.row.sku])),
        [
          [2, 'B'],
          [3, path],
          [4, 'C'],
          [5, 'D'],
        ],
      );
    });
  }

  test('keeps what follows a quote that opens a file of hundreds of lines', async () => {
    const rest = Array.from({ length: 500 }, (_, at) => `S${at},n,1,GBP`);
    const read = await csv([header, 'A,"open,1,GBP', ...rest].join('\n'));
    assert.deepEqual(
      read.filter(one => one.errors).map(one => one.line),
      [2],
    );
    assert.equal(read.length, 501);
  });

  test('reports a line in another encoding', async () => {
    const read = await csv(
      Buffer.concat([Buffer.from(`${header}\nA,caf`), Buffer.from([0xe9]), Buffer.from(',1,GBP\nB,b,1,GBP')]),
    );
    assert.deepEqual(
      read.map(one => [one.line, one.errors?.[0]?.message]),
      [
        [2, 'is not UTF-8'],
        [3, undefined],
      ],
    );
  });

  const headers: [string, string, string][] = [
    ['lacks a column', 'sku,name,price', 'currency'],
    ['names an unknown column', `${header},colour`, 'colour'],
    ['names a column twice', `${header},sku`, 'sku'],
    ['is not there', '', 'sku'],
    ['is separated by semicolons', 'sku;name;price;currency', 'sku'],
  ];
  for (const [name, line, path] of headers) {
    test(`is refused when its header ${name}`, async () => {
      await assert.rejects(csv(`${line}\nA,a,1,GBP`), (error: unknown) => {
        assert.ok(isAppError(error, 'invalid_request'));
        assert.equal(error.extras.errors?.[0]?.path, path);
        return true;
      });
    });
  }

  test('written by RFC 4180 is read back', async () => {
    const name = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'é'), minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 8 }), async names => {
        const cells = names.map((one, at) => `S${at},"${`x${one}x`.replaceAll('"', '""')}",1,GBP`);
        const read = await csv([header, ...cells].join('\r\n'));
        assert.deepEqual(
          read.map(one => (one.errors ? one.errors : one.row.name)),
          names.map(one => `x${one}x`),
        );
      }),
    );
  });
});
