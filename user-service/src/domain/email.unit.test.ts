import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isEmail, maxEmailLength, normaliseEmail } from './email.ts';

test('spellings of one address are one', () => {
  const spellings = ['ada@example.com', ' Ada@Example.COM\n', 'ADA@EXAMPLE.COM'];
  assert.deepEqual([...new Set(spellings.map(normaliseEmail))], ['ada@example.com']);
  assert.equal(normaliseEmail('Zoe\u0308@example.com'), normaliseEmail('zo\u00eb@example.com'));
});

test('normalising twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), value => {
      const once = normaliseEmail(value);
      assert.equal(normaliseEmail(once), once);
    }),
    { numRuns: 2_000 },
  );
});

test('addresses that people have are taken', () => {
  for (const email of [
    'a@b.co',
    'first.last+tag@sub.example-shop.co.uk',
    "o'brien_1%x@example.org",
    'zoë@bücher.example',
    '用户@例子.公司',
    `${'a'.repeat(64)}@example.com`,
  ]) {
    assert.ok(isEmail(email), email);
  }
});

test('what is no address is refused', () => {
  for (const email of [
    '',
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada@@example.com',
    'ada@exa mple.com',
    'a da@example.com',
    '.ada@example.com',
    'ada.@example.com',
    'a..b@example.com',
    'ada@.example.com',
    'ada@example..com',
    'ada@-example.com',
    'ada@example-.com',
    'ada@example.com.',
    '"ada"@example.com',
    'ada<b>@example.com',
    'ada\u0000@example.com',
    'ada\u200b@example.com',
    'ada\u202e@example.com',
    'ada\ud800@example.com',
    'ada@example.com\u0000',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b'.repeat(64)}.com`,
    `a@${'b.'.repeat(maxEmailLength)}com`,
  ]) {
    assert.ok(!isEmail(email), JSON.stringify(email));
  }
});
