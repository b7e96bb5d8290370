import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import { isCommonPassword } from '../domain/password.ts';
import { readCommonPasswords } from './commonPasswords.ts';
import { createPasswords } from './passwords.ts';

const registry = () => createRegistry('test', { processMetrics: false });
const cheap = { memoryKib: 64, passes: 1 };

test('hashes are argon2id with the configured cost', async () => {
  const passwords = createPasswords({ memoryKib: 19_456, passes: 2 }, registry());
  assert.match(await passwords.hash('long enough'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});

test('only the password itself fits, in whichever Unicode form it is typed', async () => {
  const passwords = createPasswords(cheap, registry());
  const stored = await passwords.hash('pa\u0308sswo\u0308rter');
  assert.ok(await passwords.verify('p\u00e4ssw\u00f6rter', stored));
  assert.ok(!(await passwords.verify('passwoerter', stored)));
  const long = await passwords.hash(`${'x'.repeat(127)}a`);
  assert.ok(!(await passwords.verify(`${'x'.repeat(127)}b`, long)), 'nothing is cut');
});

test('without an account nothing fits', async () => {
  assert.ok(!(await createPasswords(cheap, registry()).verify('anything at all', undefined)));
});

test('a hash of another cost is outdated', async () => {
  const stored = await createPasswords(cheap, registry()).hash('long enough');
  assert.ok(!createPasswords(cheap, registry()).isOutdated(stored));
  assert.ok(createPasswords({ ...cheap, passes: 2 }, registry()).isOutdated(stored));
  assert.ok(createPasswords({ ...cheap, memoryKib: 128 }, registry()).isOutdated(stored));
});

test('the list of common passwords has what everybody tries and would otherwise be allowed', () => {
  const common = readCommonPasswords();
  assert.ok(common.size > 3_000);
  for (const word of common) assert.ok([...word].length >= 10 && word === word.toLowerCase().normalize('NFC'), word);
  for (const word of ['1234567890', 'Password123', 'qwertyuiop', 'iloveyou123', 'letmein2026!']) {
    assert.ok(isCommonPassword(word, common), word);
  }
  assert.ok(!isCommonPassword('correct horse battery staple', common));
});
