import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySetMaxAgeSeconds, publishBeforeMs, publishedKeysAt, signingKeyAt } from './signingKeys.ts';

const minute = 60_000;
const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1) + minutes * minute);
const old = { kid: 'old', activeFrom: at(0) };
const next = { kid: 'next', activeFrom: at(10) };
const published = (minutes: number) =>
  publishedKeysAt([next, old], at(minutes), 15 * minute, 5 * minute).map(key => key.kid);

test('the newest active key signs', () => {
  assert.equal(signingKeyAt([next, old], at(5)), old);
  assert.equal(signingKeyAt([next, old], at(10)), next);
  assert.equal(signingKeyAt([next, old], at(-1)), old, 'a clock that is behind');
  assert.equal(signingKeyAt([], at(0)), undefined);
});

test('a key is published before it signs and until its last token has expired', () => {
  assert.deepEqual(published(0), ['old', 'next']);
  assert.deepEqual(published(29), ['old', 'next']);
  assert.deepEqual(published(30), ['next']);
  assert.deepEqual(published(10_000), ['next']);
});

test('whoever cached the keys for as long as allowed knows the next one before it signs', () => {
  assert.ok(publishBeforeMs > keySetMaxAgeSeconds * 1000);
});
