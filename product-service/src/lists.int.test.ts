import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestShop, type TestShop } from './products.testing.ts';

let shop: TestShop;
before(async () => {
  shop = await startTestShop();
  const goods = [
    {
      sku: 'G-1',
      name: 'Red Lantern',
      amount: 300,
      category: 'Home > Lights',
      initialStock: 5,
      attributes: { colour: 'red' },
    },
    { sku: 'G-2', name: 'Blue Lantern', amount: 100, category: 'Home > Lights', attributes: { colour: 'blue' } },
    { sku: 'G-3', name: 'Éclair Plate', amount: 200, category: 'Home > Kitchen', initialStock: 1 },
    { sku: 'G-4', name: 'apple bowl', amount: 200, category: 'Home > Kitchen', description: 'Fits under a lantern' },
    { sku: 'G-5', name: 'Garden Hose', amount: 1_000, category: 'Garden', initialStock: 9 },
    { sku: 'G-6', name: 'Loose Thing', amount: 50 },
  ];
  for (const one of goods) await shop.add(one);
});
after(() => shop.close());

const list = (query: string) => shop.send('GET', `/api/products${query}`);
const skus = async (query: string) => (await list(query)).body.items.map((one: { sku: string }) => one.sku).join(' ');

describe('lists', () => {
  const cases: [string, string][] = [
    ['', 'G-6 G-5 G-4 G-3 G-2 G-1'],
    ['?sort=newest&limit=2', 'G-6 G-5'],
    ['?sort=price', 'G-6 G-2 G-4 G-3 G-1 G-5'],
    ['?sort=-price', 'G-5 G-1 G-4 G-3 G-2 G-6'],
    ['?sort=name', 'G-4 G-2 G-3 G-5 G-6 G-1'],
    ['?sort=relevance', 'G-6 G-5 G-4 G-3 G-2 G-1'],
    ['?search=lantern', 'G-2 G-1 G-4'],
    ['?search=lantern&sort=price', 'G-2 G-4 G-1'],
    ['?search=lantern&sort=newest', 'G-4 G-2 G-1'],
    ['?search=LÁNTREN', 'G-2 G-1 G-4'],
    ['?search=&category=Garden', 'G-5'],
    ['?search=%20%20&category=Garden', 'G-5'],
    ['?category=Home&sort=price', 'G-2 G-4 G-3 G-1'],
    ['?category=Home%20%3E%20Kitchen&sort=price', 'G-4 G-3'],
    ['?minPrice=100&maxPrice=200&sort=price', 'G-2 G-4 G-3'],
    ['?inStock=true&sort=price', 'G-3 G-1 G-5'],
    ['?inStock=false&sort=price', 'G-6 G-2 G-4'],
    ['?sku=G-3', 'G-3'],
    ['?sku=g-3', ''],
    ['?attribute=colour:red', 'G-1'],
    ['?attribute=colour:red&attribute=size:2', ''],
    ['?search=lantern&category=Home%20%3E%20Lights&maxPrice=200&inStock=false', 'G-2'],
  ];
  for (const [query, expected] of cases)
    test(query || '(nothing asked)', async () => assert.equal(await skus(query), expected));

  test('are walked to the end by cursors, without search and with it', async () => {
    for (const query of [
      '?sort=newest',
      '?sort=price',
      '?sort=-price',
      '?sort=name',
      '?search=lantern',
      '?search=lantern&sort=name',
    ]) {
      const whole = await skus(query);
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const { status, body } = await list(`${query}&limit=1${cursor && `&cursor=${cursor}`}`);
        assert.equal(status, 200);
        seen.push(...body.items.map((one: { sku: string }) => one.sku));
        cursor = body.nextCursor;
      }
      assert.equal(seen.join(' '), whole, query);
    }
  });

  test('have cursors of names as long as names may be', async () => {
    for (const [at, name] of ['한'.repeat(200), '😀'.repeat(100), '\ufdfa'.repeat(200)].entries()) {
      await shop.add({ sku: `long-${at}`, name, category: 'Long' });
    }
    let [seen, cursor] = [0, ''];
    do {
      const { status, body } = await list(`?category=Long&sort=name&limit=1${cursor && `&cursor=${cursor}`}`);
      assert.equal(status, 200);
      seen += body.items.length;
      cursor = body.nextCursor;
    } while (cursor);
    assert.equal(seen, 3);
    const { items } = (await list('?category=Long')).body;
    for (const { id } of items) await shop.send('DELETE', `/api/products/${id}`, { token: shop.admin });
  });

  test('carry facets when there is a search, and only then', async () => {
    assert.deepEqual((await list('?search=lantern&category=Home%20%3E%20Lights')).body.facets, {
      categories: [
        { category: 'Home', count: 3 },
        { category: 'Home > Lights', count: 2 },
        { category: 'Home > Kitchen', count: 1 },
      ],
      prices: [{ min: 0, max: 500, count: 2 }],
    });
    assert.deepEqual(Object.keys((await list('')).body), ['items', 'nextCursor']);
  });

  test('of the newest and of categories', async () => {
    assert.deepEqual(
      (await shop.send('GET', '/api/products/recent?limit=2')).body.items.map((one: { sku: string }) => one.sku),
      ['G-6', 'G-5'],
    );
    assert.deepEqual((await shop.send('GET', '/api/products/categories')).body, {
      items: [
        { category: 'Garden', count: 1 },
        { category: 'Home > Kitchen', count: 2 },
        { category: 'Home > Lights', count: 2 },
      ],
    });
    const { items } = (await shop.send('GET', '/api/products/categories/tree')).body;
    assert.deepEqual(items[1].children[0], {
      category: 'Home > Kitchen',
      name: 'Kitchen',
      count: 2,
      breadcrumbs: [
        { category: 'Home', name: 'Home' },
        { category: 'Home > Kitchen', name: 'Kitchen' },
      ],
      children: [],
    });
    assert.deepEqual([items[1].category, items[1].count], ['Home', 4]);
  });

  test('suggest names while somebody types', async () => {
    const names = async (q: string) =>
      (await shop.send('GET', `/api/products/suggest?q=${q}`)).body.items.map((one: { name: string }) => one.name);
    assert.deepEqual(await names('lant'), ['Blue Lantern', 'Red Lantern', 'apple bowl']);
    assert.deepEqual(await names('ecl'), ['Éclair Plate']);
    assert.deepEqual(await names(''), []);
    assert.deepEqual(await names('%2E%2A'), []);
  });
});

describe('a bad query is refused', () => {
  const long = 'x'.repeat(201);
  const cases: [string, string][] = [
    ['?limit=0', 'query.limit'],
    ['?limit=101', 'query.limit'],
    ['?limit=-1', 'query.limit'],
    ['?limit=1e2', 'query.limit'],
    ['?limit=99999999999999999999', 'query.limit'],
    ['?limit=10&limit=20', 'query.limit'],
    ['?sort=cheap', 'query.sort'],
    ['?minPrice=1.5', 'query.minPrice'],
    ['?minPrice=-1', 'query.minPrice'],
    ['?minPrice=2&maxPrice=1', 'query.minPrice'],
    ['?inStock=yes', 'query.inStock'],
    ['?color=red', 'query.color'],
    ['?search[$ne]=x', 'query.search[$ne]'],
    ['?search=a&search=b', 'query.search'],
    [`?search=${long}`, 'query.search'],
    ['?attribute=colour', 'query.attribute'],
    ['?category=', 'query.category'],
    ['/suggest', 'query.q'],
    [`/suggest?q=${long}`, 'query.q'],
    ['/recent?limit=0', 'query.limit'],
    ['/recent?cursor=x', 'query.cursor'],
    ['/categories?limit=1', 'query.limit'],
  ];
  for (const [query, path] of cases) {
    test(query.slice(0, 40), async () => {
      const { status, body } = await list(query);
      assert.deepEqual([status, body.code, body.errors?.[0].path], [400, 'invalid_request', path]);
    });
  }

  test('and one of 10,000 letters as well', async () => {
    const { status } = await list(`?search=${'x'.repeat(10_000)}`);
    assert.ok(status === 400 || status === 414 || status === 431, String(status));
  });

  test('signs of regular expressions are only signs', async () => {
    for (const search of ['.*', '(', '[a-', '\\', '^lantern$', '(a+)+$', '$where', '*', '\u0000', '%']) {
      const { status } = await list(`?search=${encodeURIComponent(search)}`);
      assert.equal(status, 200, search);
    }
    assert.equal(await skus(`?search=${encodeURIComponent('.*')}`), '');
  });
});

describe('a cursor is refused', () => {
  const refused = async (query: string) => {
    const { status, body } = await list(query);
    assert.deepEqual([status, body.code], [400, 'invalid_cursor'], query);
  };
  const cursorOf = async (query: string) => (await list(query)).body.nextCursor;

  test('when it is broken', async () => {
    for (const cursor of ['x', 'bm90IGpzb24', 'W10', encodeURIComponent('=="{}'), 'x'.repeat(1_024)]) {
      await refused(`?cursor=${cursor}`);
    }
    const good = await cursorOf('?limit=1');
    await refused(`?cursor=${good.slice(0, -3)}`);
    await refused(`?cursor=${good}x`);
  });

  test('under another sort, search or filter', async () => {
    const cursor = await cursorOf('?limit=1');
    await refused(`?sort=price&cursor=${cursor}`);
    await refused(`?search=lantern&cursor=${cursor}`);
    await refused(`?category=Home&cursor=${cursor}`);
    const found = await cursorOf('?search=lantern&limit=1');
    await refused(`?search=lanterns&cursor=${found}`);
    assert.equal((await list(`?limit=5&cursor=${cursor}`)).status, 200, 'another limit is fine');
  });

  test('when its content was made up', async () => {
    const good = await cursorOf('?search=lantern&limit=1');
    const values = JSON.parse(Buffer.from(good, 'base64url').toString());
    const forge = (at: number, value: unknown) => {
      const forged = values.with(at, value);
      return `?search=lantern&cursor=${Buffer.from(JSON.stringify(forged)).toString('base64url')}`;
    };
    for (const [at, value] of [
      [1, 'now'],
      [1, -1],
      [2, 'wwwwwww'],
      [2, 'q'],
      [3, 1e9],
      [4, 'text'],
      [5, 5],
      [6, 'now'],
      [7, 7],
    ] as const) {
      await refused(forge(at, value));
    }
  });
});
