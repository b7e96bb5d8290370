import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileRegex } from './regex.ts';

describe('regular expressions', () => {
  const cases: [string, string, string, boolean][] = [
    ['^a.c$', '', 'abc', true],
    ['^a.c$', '', 'abc\n', true],
    ['^a.c$', '', 'a\nc', false],
    ['^a.c$', 's', 'a\nc', true],
    ['^.$', '', '😀', true],
    ['^.$', '', '\u2028', true],
    ['(?i)ABC', '', 'abc', true],
    ['a\\-b\\@c\\#d', '', 'a-b@c#d', true],
    ['[a\\-z]', '', '-', true],
    ['^\\s$', '', '\u00a0', false],
    ['\\Aab\\z', '', 'ab', true],
    ['^b', 'm', 'a\nb', true],
    ['\\$5\\.00', '', '$5.00', true],
    ['ä', 'i', 'Ä', true],
    ['\\d{2}', '', '12', true],
  ];
  for (const [pattern, options, text, matches] of cases) {
    it(`${JSON.stringify([pattern, options, text])} ${matches ? 'matches' : 'does not match'}`, () => {
      assert.equal(compileRegex(pattern, options).test(text), matches);
    });
  }

  for (const pattern of ['(', '[[:alpha:]]', '(?>a)', 'a++', '\\K', '[]a]']) {
    it(`refuses ${pattern}, which JS would read differently or not at all`, () => {
      assert.throws(() => compileRegex(pattern, ''), { code: 51091 });
    });
  }

  it('refuses the option x', () => {
    assert.throws(() => compileRegex('a b', 'x'), { code: 238 });
  });
});
