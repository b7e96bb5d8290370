import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestAnswer } from '@tradepost/local/testing';
import { serviceNames } from '@tradepost/shared/discovery';
import { startTestShop } from '../system/testShop.ts';
import { send } from './send.ts';

const shop = await startTestShop();
const { token } = await shop.register();
const page = new Set(['/', '/docs']);

/** What every answer has, and what none may have. */
function assertHeaders({ headers, status }: TestAnswer, path: string): void {
  const [, seconds] = /^max-age=(\d+); includeSubDomains$/.exec(headers.get('strict-transport-security') ?? '') ?? [];
  assert.ok(Number(seconds) >= 31_536_000, path);
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/);
  assert.match(headers.get('content-security-policy') ?? '', /base-uri 'none'/);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('referrer-policy'), 'no-referrer');
  for (const name of ['set-cookie', 'access-control-allow-origin', 'x-powered-by', 'server', 'via']) {
    assert.equal(headers.get(name), null, `${path} has ${name}`);
  }
  if (status >= 400) assert.equal(headers.get('cache-control'), 'no-store', path);
}

describe('header fields of security', () => {
  const paths = [
    ...[
      '/',
      '/docs',
      '/docs/page.css',
      '/openapi.json',
      '/health',
      '/api/products',
      '/api/products/none',
      '/api/users/me',
    ],
    ...['/api/orders', '/api/nothing', '/nothing', '/api/products?limit=0', '/docs/swagger-ui-bundle.js'],
  ];
  for (const path of paths) {
    test(`of the gateway's ${path}`, async () => {
      for (const headers of [{}, { Origin: 'https://elsewhere.example' }]) {
        // Files of the pages are not part of the API.
        const response = await fetch(shop.url + path, { headers });
        assertHeaders({ status: response.status, headers: response.headers, body: await response.text() }, path);
        if (!page.has(path) && !path.startsWith('/docs/')) {
          assert.match(response.headers.get('content-type') ?? '', /json/);
        }
      }
    });
  }

  for (const name of serviceNames) {
    test(`of ${name} itself`, async () => {
      const { address } = shop.ports.services[name];
      for (const path of ['/health', '/nothing']) assertHeaders(await send(address, 'GET', path), path);
    });
  }

  test('of the files beside the pages none but the listed ones are there', async () => {
    for (const path of [
      '/docs/package.json',
      '/docs/index.html',
      '/docs/swagger-ui.js',
      '/docs/.npmrc',
      '/.git/config',
    ]) {
      assert.equal((await shop.send('GET', path)).status, 404, path);
    }
  });

  test('what is for one user alone is kept by nobody', async () => {
    for (const path of ['/api/users/me', '/api/users/me/addresses', '/api/orders', '/api/dashboard', '/api/payments']) {
      assert.equal((await shop.send('GET', path, { token })).headers.get('cache-control'), 'no-store', path);
    }
  });

  test('no page of another origin is answered before its request', async () => {
    const headers = { Origin: 'https://elsewhere.example', 'Access-Control-Request-Method': 'POST' };
    const answer = await shop.send('OPTIONS', '/api/orders', { headers });
    assert.equal(answer.status, 405);
    assertHeaders(answer, '/api/orders');
  });

  test('what a form of another origin can send changes nothing', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const body = JSON.stringify({ email: 'ada@example.com', password: 'a long enough password', name: 'Ada' });
      const answer = await shop.send('POST', '/api/users/register', { body, headers: { 'Content-Type': type } });
      assert.equal(answer.status, 415);
    }
  });
});
