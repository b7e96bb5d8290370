import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropsFraming, endToEndHeaders, requestHeadersFor } from './headers.ts';

const hop = { ip: '1.2.3.4', protocol: 'https', requestId: 'r', traceparent: 't' };

test('drops what Connection names, in any spelling, and all hop-by-hop fields', () => {
  const headers = {
    host: 'shop',
    connection: 'close, X-Secret ,keep-alive',
    'x-secret': '1',
    'keep-alive': 'timeout=1',
    'proxy-authorization': 'x',
    te: 'trailers',
    upgrade: 'websocket',
    expect: '100-continue',
    'transfer-encoding': 'chunked',
    accept: '*/*',
  };
  assert.deepEqual(requestHeadersFor(hop, headers), {
    host: 'shop',
    'transfer-encoding': 'chunked',
    accept: '*/*',
    'x-forwarded-for': '1.2.3.4',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop',
    'x-request-id': 'r',
    traceparent: 't',
  });
});

test('knows a Connection field that would change how the body is read', () => {
  for (const connection of ['content-length', 'close, Transfer-Encoding', 'HOST']) {
    assert.equal(dropsFraming({ connection }), true, connection);
  }
  assert.equal(dropsFraming({ connection: 'close, x-user-id' }), false);
  assert.equal(dropsFraming({}), false);
});

test('hands the client the end-to-end fields of an answer', () => {
  const entries = endToEndHeaders({
    connection: 'keep-alive, X-Hop',
    'keep-alive': 'timeout=30',
    'transfer-encoding': 'chunked',
    'x-hop': '1',
    'content-type': 'text/plain',
    'set-cookie': ['a=1', 'b=2'],
  });
  assert.deepEqual(Object.fromEntries(entries), { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] });
});
