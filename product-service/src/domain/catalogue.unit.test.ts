import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { recordOf } from './catalogue.testing.ts';
import { type Catalogue, createCatalogue, createMoments, type Paging } from './catalogue.ts';
import type { CatalogueRecord } from './catalogueEntry.ts';
import { type Filters, type Sort, sorts } from './catalogueQuery.ts';

const newCatalogue = () => createCatalogue(createMoments(() => new Date(1_000)));

function allPages(catalogue: Catalogue, sort: Sort, limit: number, between: () => void, search?: string): string[] {
  const ids: string[] = [];
  let paging: Paging | undefined;
  do {
    const page = catalogue.find({ search, filters: {}, sort, limit, paging });
    assert.ok(page.ids.length <= limit);
    ids.push(...page.ids);
    paging = page.next;
    between();
  } while (paging);
  return ids;
}

describe('paging', () => {
  for (const sort of sorts) {
    for (const search of [undefined, 'mug']) {
      test(`by ${sort}${search ? ' through a search' : ''} gives each row once while rows come and prices change`, () => {
        const amount = fc.integer({ min: 0, max: 6 });
        const action = fc.record({ add: fc.boolean(), of: fc.nat(), amount });
        fc.assert(
          fc.property(
            fc.array(amount, { minLength: 1, maxLength: 30 }),
            fc.integer({ min: 1, max: 4 }),
            fc.array(fc.array(action, { maxLength: 6 }), { maxLength: 40 }),
            (amounts, limit, steps) => {
              const catalogue = newCatalogue();
              const records: CatalogueRecord[] = [];
              const put = (record: CatalogueRecord) => {
                records[Number(record._id)] = record;
                catalogue.apply([record]);
              };
              const make = (of: number) => {
                const id = String(records.length);
                const name = `Mug ${'abc'[records.length % 3]}`;
                put(recordOf({ sku: id, name, amount: of, createdAt: new Date(records.length) }));
              };
              amounts.forEach(make);
              const initial = records.map(record => record._id);
              const rounds = steps[Symbol.iterator]();
              const between = () => {
                for (const { add, of, amount: next } of rounds.next().value ?? []) {
                  const old = records[of % records.length]!;
                  if (add) make(next);
                  else put({ ...old, price: { amount: next, currency: 'GBP' }, version: old.version + 1 });
                }
              };
              const seen = allPages(catalogue, sort, limit, between, search);
              assert.equal(new Set(seen).size, seen.length, 'no row twice');
              assert.deepEqual(
                initial.filter(id => !seen.includes(id)),
                [],
                'no row left out',
              );
            },
          ),
          { numRuns: 300 },
        );
      });
    }
  }

  test('keeps to the way in which the search began when a better fit turns up', () => {
    const catalogue = newCatalogue();
    const lanterns = Array.from({ length: 5 }, (_, at) => recordOf({ sku: `L${at}`, name: 'Lantern' }));
    catalogue.apply(lanterns);
    const add = () => catalogue.apply([recordOf({ sku: 'X', name: 'Lantren' })]);
    const seen = allPages(catalogue, 'relevance', 2, add, 'lantren');
    assert.deepEqual(seen.filter(id => id !== 'X').sort(), ['L0', 'L1', 'L2', 'L3', 'L4']);
    assert.deepEqual(catalogue.find({ search: 'lantren', filters: {}, sort: 'relevance', limit: 9 }).ids, ['X']);
  });

  test('refuses a place that belongs to another search', () => {
    const catalogue = newCatalogue();
    const paging = { moment: 1, ways: 'ww', required: 2, after: { number: 1, text: '', createdAt: 1, id: 'a' } };
    assert.throws(
      () => catalogue.find({ search: 'one', filters: {}, sort: 'relevance', limit: 1, paging }),
      RangeError,
    );
  });
});

describe('sorting', () => {
  const catalogue = newCatalogue();
  catalogue.apply([
    recordOf({ sku: 'a', name: 'Éclair', amount: 300, createdAt: new Date(1) }),
    recordOf({ sku: 'b', name: 'apple', amount: 100, createdAt: new Date(3) }),
    recordOf({ sku: 'c', name: 'Zebra', amount: 300, createdAt: new Date(2) }),
    recordOf({ sku: 'd', name: 'Dog', amount: 200, createdAt: new Date(3) }),
  ]);
  const expected: Record<Sort, string> = {
    newest: 'd b c a',
    price: 'b d c a',
    '-price': 'c a d b',
    name: 'b d a c',
    relevance: 'd b c a',
  };
  for (const sort of sorts) {
    test(sort, () => {
      assert.equal(catalogue.find({ filters: {}, sort, limit: 9 }).ids.join(' '), expected[sort]);
    });
  }
});

describe('filters', () => {
  const catalogue = newCatalogue();
  catalogue.apply([
    recordOf({ sku: 'a', category: 'Home > Mugs', amount: 100, attributes: { colour: 'Red', size: 2 } }),
    recordOf({ sku: 'b', category: 'Home', amount: 500, availability: 'out_of_stock', attributes: { colour: 'blue' } }),
    recordOf({ sku: 'c', category: 'Homes', amount: 999, availability: 'low_stock', parentId: 'a' }),
    recordOf({ sku: 'd', amount: 1_000, attributes: { lid: true } }),
    recordOf({ sku: 'e', status: 'archived' }),
  ]);
  const cases: [Filters, string][] = [
    [{}, 'a b c d'],
    [{ category: 'Home' }, 'a b'],
    [{ category: 'Home > Mugs' }, 'a'],
    [{ category: 'home' }, ''],
    [{ minPrice: 500 }, 'b c d'],
    [{ maxPrice: 500 }, 'a b'],
    [{ minPrice: 500, maxPrice: 999 }, 'b c'],
    [{ inStock: true }, 'a c d'],
    [{ inStock: false }, 'b'],
    [{ sku: 'd' }, 'd'],
    [{ parentId: 'a' }, 'c'],
    [{ attributes: [['colour', 'red']] }, 'a'],
    [
      {
        attributes: [
          ['colour', 'red'],
          ['size', '2'],
        ],
      },
      'a',
    ],
    [
      {
        attributes: [
          ['colour', 'red'],
          ['size', '3'],
        ],
      },
      '',
    ],
    [{ attributes: [['lid', 'true']] }, 'd'],
    [{ attributes: [['constructor', 'x']] }, ''],
    [{ category: 'Home', inStock: true, maxPrice: 100 }, 'a'],
  ];
  for (const [filters, expected] of cases) {
    test(JSON.stringify(filters), () => {
      assert.equal(catalogue.find({ filters, sort: 'price', limit: 9 }).ids.join(' '), expected);
    });
  }
});

describe('facets', () => {
  const catalogue = newCatalogue();
  catalogue.apply([
    recordOf({ sku: 'a', name: 'mug', category: 'Home > Mugs', amount: 499 }),
    recordOf({ sku: 'b', name: 'mug', category: 'Home', amount: 500 }),
    recordOf({ sku: 'c', name: 'mug', category: 'Garden', amount: 60_000 }),
    recordOf({ sku: 'd', name: 'hat', category: 'Garden', amount: 60_000 }),
  ]);
  const facetsOf = (filters: Filters, search: string | undefined = 'mug') =>
    catalogue.find({ search, filters, sort: 'relevance', limit: 1 }).facets;

  test('count what was found, categories with those under them', () => {
    assert.deepEqual(facetsOf({}), {
      categories: [
        { category: 'Home', count: 2 },
        { category: 'Garden', count: 1 },
        { category: 'Home > Mugs', count: 1 },
      ],
      prices: [
        { min: 0, max: 500, count: 1 },
        { min: 500, max: 1_000, count: 1 },
        { min: 50_000, max: null, count: 1 },
      ],
    });
  });

  test('leave their own filter out and heed the others', () => {
    const facets = facetsOf({ category: 'Garden', maxPrice: 1_000 });
    assert.deepEqual(facets?.categories, [
      { category: 'Home', count: 2 },
      { category: 'Home > Mugs', count: 1 },
    ]);
    assert.deepEqual(facets?.prices, [{ min: 50_000, max: null, count: 1 }]);
  });

  test('are not counted without a search', () => {
    assert.equal(catalogue.find({ filters: {}, sort: 'newest', limit: 1 }).facets, undefined);
  });
});

describe('what arrives late', () => {
  test('changes nothing, in whatever order versions come', () => {
    const versions = [
      recordOf({ sku: 'a', name: 'one', category: 'A', version: 1 }),
      recordOf({ sku: 'a', name: 'two', category: 'B', version: 2 }),
      recordOf({ sku: 'a', name: 'two', category: 'B', version: 2, stock: { available: 0, low: false, version: 7 } }),
      recordOf({ sku: 'a', name: 'two', category: 'B', version: 3, status: 'archived' }),
      recordOf({ sku: 'a', name: 'four', category: 'C', version: 4, stock: { available: 0, low: false, version: 7 } }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(versions, { minLength: 1 }), given => {
        const catalogue = newCatalogue();
        catalogue.apply(given);
        const newest = given.reduce((a, b) =>
          b.version > a.version || (b.version === a.version && b.stock.version > a.stock.version) ? b : a,
        );
        const isActive = newest.status === 'active';
        assert.equal(catalogue.size(), isActive ? 1 : 0);
        assert.deepEqual(catalogue.categories(), isActive ? [{ category: newest.category, count: 1 }] : []);
        const found = catalogue.find({ search: newest.name, filters: {}, sort: 'relevance', limit: 9 });
        assert.equal(found.ids.length, isActive ? 1 : 0);
        assert.deepEqual(catalogue.versionOf('a'), { version: newest.version, stockVersion: newest.stock.version });
      }),
    );
  });
});

test('moments never repeat or go back, whatever the clock does', () => {
  const times = [5, 5, 3, 9, 9];
  const moment = createMoments(() => new Date(times.shift() ?? 0));
  const moments = Array.from({ length: 6 }, moment);
  assert.deepEqual(
    [...new Set(moments)].sort((a, b) => a - b),
    moments,
  );
});
