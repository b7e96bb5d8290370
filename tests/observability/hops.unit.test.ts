import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceivedSpan } from '@tradepost/shared/testing/otlpReceiver';
import { shareOut } from '../../bench/hops.ts';

/** A span from its service, parent and times; named by its id. */
const span = (
  spanId: string,
  parentSpanId: string | undefined,
  service: string,
  kind: ReceivedSpan['kind'],
  [startMs, endMs]: [number, number],
  attributes = {},
): ReceivedSpan => ({
  ...{ spanId, parentSpanId, service, kind, startMs, endMs, attributes },
  ...{ name: spanId, instance: service, traceId: 't', links: [], failed: false },
});
const database = { 'db.system.name': 'mongodb' };

const request = [
  span('root', undefined, 'gateway', 'server', [0, 100]),
  span('call', 'root', 'gateway', 'client', [10, 90]),
  span('order', 'call', 'order-service', 'server', [12, 86]),
];

test('each moment of a request belongs to what is under way innermost', () => {
  const spans = [
    ...request,
    span('insert', 'order', 'order-service', 'client', [20, 30], database),
    span('ask', 'order', 'order-service', 'client', [40, 60]),
    span('reserve', 'ask', 'inventory-service', 'server', [45, 55]),
    span('update', 'reserve', 'inventory-service', 'client', [47, 53], database),
  ];
  assert.deepEqual(Object.fromEntries(shareOut(spans)), {
    'gateway: own': 20,
    'order-service: way': 6,
    'order-service: own': 8 + 10 + 26,
    'order-service: database': 10,
    'inventory-service: way': 10,
    'inventory-service: own': 4,
    'inventory-service: database': 6,
  });
});

test('what runs at once shares the time, and nobody waits for messages', () => {
  const spans = [
    ...request,
    span('prices', 'order', 'order-service', 'client', [20, 40]),
    span('lookup', 'prices', 'product-service', 'server', [20, 40]),
    span('address', 'order', 'order-service', 'client', [30, 40]),
    span('read', 'address', 'user-service', 'server', [30, 40]),
    span('publish', 'order', 'order-service', 'producer', [50, 120]),
    span('consume', 'publish', 'user-service', 'consumer', [60, 200]),
    span('count', 'consume', 'user-service', 'client', [70, 80], database),
  ];
  const shares = shareOut(spans);
  assert.equal(shares.get('product-service: own'), 15);
  assert.equal(shares.get('user-service: own'), 5);
  assert.equal(shares.get('user-service: database'), undefined);
  assert.equal(
    [...shares.values()].reduce((sum, ms) => sum + ms, 0),
    100,
  );
});

test('a trace without a root gives nothing', () => {
  assert.equal(shareOut([]).size, 0);
});
