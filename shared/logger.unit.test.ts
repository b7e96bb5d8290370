import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withContext } from './context.ts';
import { createLogger } from './logger.ts';

/** What a logger writes for these fields, as text. */
function lineOf(fields: object, level: 'info' | 'warn' | 'error' = 'info'): string {
  const lines: string[] = [];
  createLogger('order-service', 'info', { write: line => void lines.push(line) })[level](fields, 'event');
  assert.equal(lines.length, 1);
  return lines[0]!;
}

test('a line is JSON with time, level, service and what was given', () => {
  const { time, ...line } = JSON.parse(lineOf({ orderId: 'o', at: new Date(0), list: [1, { a: null }] }));
  assert.match(time, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(line, {
    ...{ level: 'info', service: 'order-service', msg: 'event', orderId: 'o' },
    ...{ at: '1970-01-01T00:00:00.000Z', list: [1, { a: null }] },
  });
});

test('secrets and personal data are masked at any depth, in any case, without touching what was given', () => {
  const given = {
    password: 'hush',
    accessToken: 'hush',
    body: { email: 'hush@example.com', items: [{ productId: 'p', phone: 'hush' }] },
    request: { headers: { Authorization: 'Bearer hush', Cookie: 'hush', host: 'shop' } },
    order: { shippingAddress: { name: 'hush' }, deep: { deep: { deep: { deep: { deep: { name: 'hush' } } } } } },
  };
  const before = structuredClone(given);
  const line = lineOf(given);
  assert.doesNotMatch(line, /hush/);
  const { body, request } = JSON.parse(line);
  assert.deepEqual(body, { email: '[redacted]', items: [{ productId: 'p', phone: '[redacted]' }] });
  assert.equal(request.headers.host, 'shop');
  assert.deepEqual(given, before);
});

test('an error tells its type, message, code and stack with its causes, and nothing that it carries along', () => {
  const cause = new Error('E11000 duplicate key { email: "hush@example.com" }');
  const error = Object.assign(new TypeError('cannot store', { cause }), {
    code: 'E1',
    config: { headers: { Authorization: 'hush' }, data: 'hush' },
  });
  const line = lineOf({ err: error }, 'error');
  assert.doesNotMatch(line, /hush/);
  const { err } = JSON.parse(line);
  assert.deepEqual(Object.keys(err), ['type', 'message', 'code', 'stack']);
  assert.equal(err.message, 'cannot store: E11000 duplicate key { email: "[redacted]" }');
  assert.match(err.stack, /logger\.unit\.test\.ts:\d+/);
  assert.deepEqual(JSON.parse(lineOf({ err: { password: 'hush' } })).err, { error: { password: '[redacted]' } });
});

test('a warning tells of an error all but its stack', () => {
  const error = Object.assign(new TypeError('cannot reach', { cause: new Error('mail hush@example.com') }), {
    code: 'E1',
  });
  const { err } = JSON.parse(lineOf({ err: error }, 'warn'));
  assert.deepEqual(err, { type: 'TypeError', message: 'cannot reach: mail [redacted]', code: 'E1' });
});

test('a text tells no address, password or token that it quotes', () => {
  const quoted = [
    'amqp://shop:hush@127.0.0.1:5672 is away',
    'no user hush.hush@example.co.uk here',
    'refused Bearer hush-hush.hush',
    'refused eyJhbGciOiJFUzI1NiJ9.eyJodXNoIjoxfQ.hush-hush',
    'card tok_hush was declined',
  ];
  for (const text of quoted) {
    assert.doesNotMatch(lineOf({ err: new Error(text) }, 'error'), /hush/, text);
    assert.doesNotMatch(lineOf({ nested: [{ text }] }), /hush/, text);
  }
  assert.match(lineOf({ text: 'an order of 2 @ 12.99' }), /2 @ 12\.99/);
});

test('a line names the request, trace and order that it is written for', () => {
  const context = { requestId: 'r', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, orderId: 'o' };
  const { requestId, traceId, orderId } = JSON.parse(withContext(context, () => lineOf({ n: 1 })));
  assert.deepEqual({ requestId, traceId, orderId }, { requestId: 'r', traceId: 'a'.repeat(32), orderId: 'o' });
  const own = withContext(context, () => lineOf({ orderId: 'other' }));
  assert.equal(own.split('"orderId"').length, 2, 'named once');
  assert.equal(JSON.parse(own).orderId, 'other');
});

test('an object that contains itself is written', () => {
  const circle: Record<string, unknown> = { name: 'o' };
  circle.self = circle;
  assert.match(lineOf({ circle }), /\[deep\]/);
});
