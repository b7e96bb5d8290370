import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCommonPassword, normalisePassword, passwordProblem } from './password.ts';

test('length is counted in characters, not in code units or bytes', () => {
  assert.match(passwordProblem('ninechars') ?? '', /at least 10/);
  assert.equal(passwordProblem('tencharsss'), undefined);
  assert.match(passwordProblem('😀'.repeat(9)) ?? '', /at least 10/);
  assert.equal(passwordProblem('😀'.repeat(10)), undefined);
  assert.equal(passwordProblem('😀'.repeat(128)), undefined);
  assert.match(passwordProblem('x'.repeat(129)) ?? '', /at most 128/);
});

test('composed and decomposed characters are the same password', () => {
  assert.equal(normalisePassword('pa\u0308sswo\u0308rter'), normalisePassword('p\u00e4ssw\u00f6rter'));
  assert.match(passwordProblem('a\u0308'.repeat(9)) ?? '', /at least 10/);
});

test('nothing is trimmed, folded or demanded', () => {
  assert.equal(normalisePassword('  Spaces AND Case  '), '  Spaces AND Case  ');
  for (const password of ['alllowercaseletters', '          ', 'tab\tand\u0000null']) {
    assert.equal(passwordProblem(password), undefined, password);
  }
});

test('half a surrogate pair is refused, because it would be stored as another character', () => {
  assert.match(passwordProblem('ten chars \ud800') ?? '', /well-formed/);
});

test('a common password is one in any capitals', () => {
  const common = new Set(['password123']);
  assert.ok(isCommonPassword('PassWord123', common));
  assert.ok(!isCommonPassword('password1234', common));
});
