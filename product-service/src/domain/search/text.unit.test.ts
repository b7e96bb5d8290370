import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { otherNumbers } from './plurals.ts';
import { fold, hyphenated, searchWords, wordsOf } from './text.ts';

describe('words of a text', () => {
  const cases: [string, string[]][] = [
    ['White Hanging-Heart', ['white', 'hanging', 'heart']],
    ["CHILDREN'S 50’S CARDS", ['childrens', '50s', 'cards']],
    ['Crème Brûlée, Ærø & Łódź', ['creme', 'brulee', 'aero', 'lodz']],
    ['Ｆｕｌｌ　width', ['full', 'width']],
    ['e\u0301 é', ['e', 'e']],
    ['Straße 12½', ['strasse', '121', '2']],
    ['日本 товар', ['日本', 'товар']],
    ['.*+?^$(){}|[]\\%_', []],
    ['', []],
    ['😀 \ud800', []],
  ];
  for (const [text, words] of cases) test(JSON.stringify(text), () => assert.deepEqual(wordsOf(text), words));

  test('are cut at 64 letters', () => assert.deepEqual(wordsOf('x'.repeat(10_000)), ['x'.repeat(64)]));
  test('joined by hyphens are also one', () =>
    assert.deepEqual(hyphenated('T-Light and UP-TO-DATE'), ['tlight', 'uptodate']));
  test('fold keeps plain text as it is but for its case', () => assert.equal(fold('A b-C 1'), 'a b-c 1'));
});

describe('words of a search', () => {
  test('leave little words out, unless there are no others', () => {
    assert.deepEqual(searchWords('Wall clock for the kitchen', 15), ['wall', 'clock', 'kitchen']);
    assert.deepEqual(searchWords('to the', 15), ['to', 'the']);
  });
  test('count once and are bounded', () => {
    assert.deepEqual(searchWords('red RED réd', 15), ['red']);
    const many = Array.from({ length: 100 }, (_, at) => `w${at}`).join(' ');
    assert.equal(searchWords(many, 15).length, 15);
  });
});

describe('other numbers of a noun', () => {
  const pairs = [
    ['bag', 'bags'],
    ['box', 'boxes'],
    ['dish', 'dishes'],
    ['glass', 'glasses'],
    ['candle', 'candles'],
    ['shoe', 'shoes'],
    ['potato', 'potatoes'],
    ['fairy', 'fairies'],
    ['toy', 'toys'],
    ['cookie', 'cookies'],
    ['knife', 'knives'],
    ['shelf', 'shelves'],
    ['scarf', 'scarves'],
    ['child', 'children'],
    ['mouse', 'mice'],
    ['headache', 'headaches'],
  ];
  for (const [one, many] of pairs as [string, string][]) {
    test(`${one}, ${many}`, () => {
      assert.ok(otherNumbers(one).includes(many), `${many} of ${one}`);
      assert.ok(otherNumbers(many).includes(one), `${one} of ${many}`);
    });
  }
  test('glass is no plural', () => assert.ok(!otherNumbers('glass').includes('glas')));
});
