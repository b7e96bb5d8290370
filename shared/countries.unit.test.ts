import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCountryCode } from './countries.ts';

test('all 249 assigned codes are known and nothing else', () => {
  const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));
  const known = letters.flatMap(a => letters.map(b => a + b)).filter(isCountryCode);
  assert.equal(known.length, 249);
  for (const code of ['GB', 'DE', 'US', 'JP', 'ZA', 'AX', 'SS']) assert.ok(isCountryCode(code), code);
  for (const code of ['ZZ', 'UK', 'EU', 'AN', 'gb', '', 'GBR']) assert.ok(!isCountryCode(code), code);
});
