import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recordOf } from '../catalogue.testing.ts';
import { createCatalogue } from '../catalogue.ts';

/** A small invented shop: name by sku. */
const goods: Record<string, string> = {
  L1: 'White Metal Lantern',
  L2: 'Lanterns for the Garden, Set of 3',
  L3: 'Hanging Heart T-Light Lantern',
  B1: 'Lunch Bag Red Spots',
  B2: 'Red Lunch Bags, Pack of 2',
  B3: 'Baguette Basket',
  D1: 'Doormat Union Jack',
  D2: 'Door Stop Cat',
  K1: 'Lunch Box with Knife',
  G1: 'Glass Bowl',
  G2: 'Set of 6 Glasses',
  C1: 'Café Sign Crème',
  S1: "Children's Scarf",
};

function catalogueOf(names: Record<string, string>, descriptions: Record<string, string> = {}) {
  let now = 0;
  const catalogue = createCatalogue(() => ++now);
  catalogue.apply(
    Object.entries(names).map(([sku, name]) => recordOf({ sku, name, description: descriptions[sku] ?? '' })),
  );
  return catalogue;
}

const finder =
  (catalogue: ReturnType<typeof createCatalogue>) =>
  (search: string, limit = 10) =>
    catalogue.find({ search, filters: {}, sort: 'relevance', limit }).ids;

const find = finder(catalogueOf(goods));

describe('a search finds', () => {
  const cases: [string, string, string[]][] = [
    ['words in any order', 'lantern white', ['L1']],
    ['whatever their case', 'WHITE lanTERN', ['L1']],
    ['without accents', 'cafe creme', ['C1']],
    ['with accents too many', 'dóör stöp', ['D2']],
    ['the plural of what was typed', 'bag red', ['B1', 'B2']],
    ['the singular of what was typed', 'knives', ['K1']],
    ['beginnings of words', 'gard lant', ['L2']],
    ['apostrophes left out', 'childrens', ['S1']],
    ['hyphens left out', 'tlight', ['L3']],
    ['hyphens put in', 'lunch-box', ['K1']],
    ['two words written as one', 'lunchbox', ['K1']],
    ['one word written as two', 'door mat', ['D1']],
    ['a letter wrong', 'hanging haert', ['L3']],
    ['two letters wrong', 'umion jsck', ['D1']],
    ['a sku in any case', 'd2', ['D2']],
    ['what holds all words before anything else', 'white lantern xyzzyxyzzy', ['L1']],
    ['nothing for a word that is nowhere near', 'xyzzyxyzzy', []],
    ['nothing for signs', '.*', []],
  ];
  for (const [name, search, expected] of cases) {
    test(`${name}: ${search}`, () => assert.deepEqual(find(search).sort(), expected));
  }

  test('the products that hold most words when none holds all', () => {
    assert.deepEqual(find('white garden lantern').sort(), ['L1', 'L2']);
  });
});

describe('a misspelled word is tried only when it fits nothing', () => {
  const lone = finder(catalogueOf({ A: 'Candelabra', B: 'Candle', C: 'Hat', D: 'Hut' }));
  test('neither itself', () => assert.deepEqual(lone('hat'), ['C']));
  test('nor as a beginning', () => assert.deepEqual(lone('candel'), ['A']));
  test('and the nearest spelling is taken', () => assert.deepEqual(lone('candlee'), ['B']));
  test('never for a number', () => {
    assert.deepEqual(finder(catalogueOf({ '85123A': 'Heart', '85123B': 'Star' }))('85123c'), []);
  });
});

describe('ranking puts', () => {
  const first = (names: Record<string, string>, search: string, descriptions?: Record<string, string>) =>
    finder(catalogueOf(names, descriptions))(search)[0];

  test('the word itself before its plural and its beginning', () => {
    assert.deepEqual(finder(catalogueOf({ A: 'Cardigan', B: 'Cards', C: 'Card' }))('card'), ['C', 'B', 'A']);
  });
  test('a name before a description', () => {
    assert.equal(first({ A: 'Mug', B: 'Cup' }, 'mug', { B: 'A mug, a mug, a mug' }), 'A');
  });
  test('the sku that was typed before all', () => {
    assert.equal(first({ '1234': 'Mug', X: '1234 1234' }, '1234'), '1234');
  });
  test('words side by side before words apart', () => {
    assert.equal(first({ A: 'Red box for a bag', B: 'Bag of red boxes', C: 'Large green red bag' }, 'red bag'), 'C');
  });
  test('a name that says little else before a long one', () => {
    assert.equal(first({ A: 'Star lantern with a very long name', B: 'Star lantern' }, 'lantern'), 'B');
  });
});

describe('the beginning of a sku', () => {
  const numbered = finder(
    catalogueOf(Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`SKU${10_000 + at}`, `Thing ${at}`]))),
  );
  test('finds it, with enough digits of it', () => {
    assert.equal(numbered('sku1234').length, 10);
    assert.deepEqual(numbered('sku13345'), []);
    assert.deepEqual(numbered('SKU12999'), ['SKU12999']);
  });
  test('that all of thousands share finds none of them', () => assert.deepEqual(numbered('sku'), []));
});

describe('a product that changes', () => {
  test('is found by its new words only, and a word that is gone is a misspelling again', () => {
    const catalogue = catalogueOf({ A: 'Lantren', B: 'Lanterns' });
    assert.deepEqual(finder(catalogue)('lantren'), ['A']);
    catalogue.apply([recordOf({ sku: 'A', name: 'Teapot', version: 2 })]);
    assert.deepEqual(finder(catalogue)('lantren'), ['B']);
    assert.deepEqual(finder(catalogue)('teapot'), ['A']);
  });

  test('is found as before when thousands of changes were tidied away', () => {
    const catalogue = catalogueOf(goods);
    for (let version = 2; version < 1_500; version += 1) {
      catalogue.apply([recordOf({ sku: 'B3', name: `Basket ${version}`, version })]);
    }
    assert.equal(catalogue.size(), 13);
    assert.deepEqual(finder(catalogue)('basket 1499'), ['B3']);
    assert.deepEqual(finder(catalogue)('lantern white'), ['L1']);
  });
});

describe('suggestions', () => {
  test('are names that fit, each once', () => {
    const catalogue = catalogueOf({ A: 'Red Bag', B: 'red bag', C: 'Red Bagpipe' });
    assert.deepEqual(
      catalogue.suggest('red ba', 5).map(one => one.name.toLowerCase()),
      ['red bag', 'red bagpipe'],
    );
    assert.deepEqual(catalogue.suggest('', 5), []);
  });
});
