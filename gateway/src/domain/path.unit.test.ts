import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlainPath } from './path.ts';

const plain = [
  '/',
  '/api/products',
  '/api/products/',
  '/api/products/01995f6e-7a1c-7000-8000-5d2f3c6b7a19',
  '/.well-known/jwks.json',
  '/api/products/caf%C3%A9',
  '/api/products/a%20b',
  '/api/products/a;v=1,2:3@4!$&()*+=~',
  '/api/products/...',
  '/api/products/.a',
];

const odd = [
  '',
  '//',
  '//api/products',
  '/api//products',
  '/api/products//',
  '/.',
  '/..',
  '/api/./products',
  '/api/products/.',
  '/api/products/..',
  '/api/products/../../internal/charges',
  '/api/products/%2e%2e/internal',
  '/api/products/%2E./internal',
  '/api/products/.%2e/internal',
  '/api/products/%2finternal',
  '/api/products/..%2finternal',
  '/api/products/%5c..%5cinternal',
  '/api/products/\\internal',
  '/api/products/..;/internal',
  '/api/products/%2e%2e;x/internal',
  '/api/products/%252e%252e/internal',
  '/api/products/%25',
  '/api/products/%00',
  '/api/products/a%00b',
  '/api/products/%0d%0aX',
  '/api/products/%7f',
  '/api/products/%3fx',
  '/api/products/%23x',
  '/api/products/%',
  '/api/products/%zz',
  '/api/products/%c0%ae%c0%ae/internal',
  '/api/products/%ff',
  'api/products',
  'http://evil.example/api/products',
];

for (const path of plain) test(`${path} is plain`, () => assert.equal(isPlainPath(path), true));
for (const path of odd) test(`${path} is not plain`, () => assert.equal(isPlainPath(path), false));

test('long paths are looked at in linear time', () => {
  for (const unit of ['/a', '/.', '/%2e', '/a%', '.', '/']) isPlainPath(`/api${unit.repeat(8_000 / unit.length)}!`);
});
