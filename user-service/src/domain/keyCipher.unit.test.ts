import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Sealed, seal, unseal } from './keyCipher.ts';

const secret = 'a secret of at least thirty-two characters';

test('what was sealed is opened with the same secret and label', () => {
  assert.equal(unseal(seal('private ü', secret, 'key 1'), secret, 'key 1'), 'private ü');
});

test('nothing of the text shows, and no two seals are alike', () => {
  const [one, two] = [seal('private', secret, 'key 1'), seal('private', secret, 'key 1')];
  assert.notEqual(one.ciphertext, two.ciphertext);
  assert.ok(!JSON.stringify(one).includes('private'));
});

test('another secret, another label or a changed part is refused', () => {
  const sealed = seal('private', secret, 'key 1');
  const flipped = (part: string) => {
    const bytes = Buffer.from(part, 'base64');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    return bytes.toString('base64');
  };
  assert.throws(() => unseal(sealed, `${secret}!`, 'key 1'));
  assert.throws(() => unseal(sealed, secret, 'key 2'));
  for (const part of ['salt', 'nonce', 'ciphertext', 'tag'] as const satisfies (keyof Sealed)[]) {
    assert.throws(() => unseal({ ...sealed, [part]: flipped(sealed[part]) }, secret, 'key 1'), part);
  }
  const short = Buffer.from(sealed.tag, 'base64').subarray(0, 4).toString('base64');
  assert.throws(() => unseal({ ...sealed, tag: short }, secret, 'key 1'));
});
