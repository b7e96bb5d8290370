import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postalAddress } from './address.ts';

const good = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };

test('an address names a country that there is', () => {
  assert.deepEqual(postalAddress.parse(good), good);
  for (const country of ['ZZ', 'UK', 'EU', 'gb', 'GBR', '', 44, undefined]) {
    const refused = postalAddress.safeParse({ ...good, country });
    assert.deepEqual(
      refused.error?.issues.map(issue => issue.path),
      [['country']],
      String(country),
    );
  }
});
