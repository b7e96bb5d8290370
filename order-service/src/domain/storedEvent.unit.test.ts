import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { OrderEvent } from './events.ts';
import { type EventKinds, NewerEventError, storedEvent, upcast } from './storedEvent.ts';
import { shipped } from './testing.ts';

const before = [
  { data: z.object({}), up: ({ carrier, ...data }: object & { carrier?: unknown }) => ({ ...data, by: carrier }) },
  { data: z.object({}), up: (data: object) => ({ ...data, parcels: 1 }) },
];
const way = { down: ({ parcels, ...data }: object & { parcels?: unknown }) => data };
const kinds = (last: object): EventKinds => ({
  OrderShipped: { version: 3, data: z.object({}), before: [before[0]!, { ...before[1]!, ...last }] },
});
const newest = { type: 'OrderShipped', data: { trackingNumber: '1', by: 'DHL', parcels: 1 } } as unknown as OrderEvent;

describe('an event is read', () => {
  test('from every version that ever was, by the steps from there to the newest', () => {
    const read = (schema: number, data: unknown) => upcast({ type: 'OrderShipped', data, schema }, kinds(way));
    assert.deepEqual(read(1, shipped.data), newest);
    assert.deepEqual(read(2, { trackingNumber: '1', by: 'DHL' }), newest);
    assert.deepEqual(read(3, newest.data), newest);
  });

  test('but not when a later release wrote it, which its instances can', () => {
    for (const stored of [
      { type: 'OrderCreated', data: {}, schema: 99 },
      { type: 'OrderExploded', data: {}, schema: 1 },
      { type: 'constructor', data: {}, schema: 1 },
    ]) {
      assert.throws(
        () => upcast(stored),
        (error: unknown) => error instanceof NewerEventError && error.status === 503,
      );
    }
  });

  test('nor in a version that never was', () => {
    for (const schema of [0, -1, 0.5, Number.NaN, undefined]) {
      const stored = { type: 'OrderCreated', data: {}, schema: schema as number };
      assert.throws(() => upcast(stored), { name: 'Error', message: `event OrderCreated has no schema ${schema}` });
    }
  });
});

describe('an event is written', () => {
  test('in the newest version', () => {
    assert.deepEqual(storedEvent(newest, kinds({})), { ...newest, schema: 3 });
  });

  test('in the one before while there is a way back to it', () => {
    const data = { trackingNumber: '1', by: 'DHL' };
    assert.deepEqual(storedEvent(newest, kinds(way)), { type: 'OrderShipped', data, schema: 2 });
  });

  test('not at all while its type is only announced', () => {
    const announced: EventKinds = { OrderShipped: { version: 1, data: z.object({}), isAnnounced: true } };
    assert.throws(() => storedEvent(shipped, announced), /OrderShipped is only announced/);
    assert.deepEqual(upcast({ ...shipped, schema: 1 }, announced), shipped);
  });
});
