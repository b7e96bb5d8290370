import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defineMessage } from '@tradepost/shared/messaging/message';
import type { OlderShape } from '@tradepost/shared/schemaVersions';
import { z } from 'zod';
import type { EventKind } from '../../order-service/src/domain/events.ts';
import { breakingChanges, contractsIn } from './changes.ts';
import { asyncApiDocument } from './document.ts';
import { eventContracts } from './eventSchemas.ts';

const shape = {
  id: z.string(),
  count: z.int().max(9),
  kind: z.enum(['a', 'b']),
  price: z.object({ amount: z.int(), currency: z.string() }),
  parts: z.array(z.object({ id: z.string() })).nullable(),
  note: z.string().optional(),
};
const { count, note, ...fewer } = shape;
const same = (data: object) => ({ ...data });
const reads: OlderShape = { data: z.object(shape), up: same };
const writes: OlderShape = { ...reads, down: same };

/** The contracts of one kind of message, or of one type of event. */
const message = (data: z.ZodRawShape, version = 1, before: readonly OlderShape[] = []) => {
  const older = before.map(one => ({ ...one, data: shape }));
  const definition = { exchange: 'orders', type: 'order.tested', version, summary: 's', data, before: older } as const;
  return contractsIn(asyncApiDocument([defineMessage(definition) as never]));
};
const event = (data: z.ZodRawShape, version = 1, before: readonly OlderShape[] = [], more: Partial<EventKind> = {}) =>
  eventContracts({ OrderTested: { version, data: z.object(data), before, ...more } });

describe('within a schema version', () => {
  const broken: [string, z.ZodRawShape, string][] = [
    ['a field that is gone', { ...fewer, note }, 'order.tested.count is gone'],
    ['another type', { ...shape, count: z.string() }, 'order.tested.count was integer and is string'],
    ['a field that may be missing', { ...shape, id: z.string().optional() }, 'order.tested.id may be missing now'],
    ['one that may not any more', { ...shape, note: z.string() }, 'order.tested.note may not be missing any more'],
    [
      'a new field that nobody wrote before',
      { ...shape, more: z.int() },
      'order.tested.more is new and may not be missing',
    ],
    [
      'a field that may be null',
      { ...shape, id: z.string().nullable() },
      'order.tested.id was string and is null or string',
    ],
    [
      'a value that nobody knows',
      { ...shape, kind: z.enum(['a', 'b', 'c']) },
      'order.tested.kind was "a" or "b" and is "a" or "b" or "c"',
    ],
    [
      'a value that others still write',
      { ...shape, kind: z.enum(['a']) },
      'order.tested.kind was "a" or "b" and is "a"',
    ],
    ['another limit', { ...shape, count: z.int().max(8) }, 'order.tested.count: its maximum was 9 and is 8'],
    ['a field inside', { ...shape, price: z.object({ amount: z.int() }) }, 'order.tested.price.currency is gone'],
    [
      '… of a list that may be null',
      { ...shape, parts: z.array(z.object({})).nullable() },
      'order.tested.parts[].id is gone',
    ],
  ];
  for (const [name, changed, line] of broken) {
    test(`${name} is found`, () => assert.deepEqual(breakingChanges(message(shape), message(changed)), [line]));

    test(`${name} is found in an event`, () =>
      assert.deepEqual(breakingChanges(event(shape), event(changed), { isStored: true }), [
        line.replace('order.tested', 'OrderTested'),
      ]));
  }

  test('fields may be added that may be missing, or that the reader fills in', () => {
    const parts = z.array(z.object({ id: z.string(), n: z.int().optional() })).nullable();
    const more = { ...shape, parts, more: z.string().optional(), most: z.string().default('most') };
    assert.deepEqual(breakingChanges(message(shape), message(more)), []);
  });
});

describe('a new schema version', () => {
  const changed = { ...fewer, total: z.int() };
  const [released, readable, written] = [message(shape), message(changed, 2, [writes]), message(changed, 2, [reads])];

  test('is read by one release and written by the next', () => {
    assert.deepEqual(released['order.tested']?.written, 1);
    assert.deepEqual([readable['order.tested']?.written, written['order.tested']?.written], [1, 2]);
    assert.deepEqual(breakingChanges(released, readable), []);
    assert.deepEqual(breakingChanges(readable, written), []);
  });

  test('and each of the two may be taken back', () => {
    assert.deepEqual(breakingChanges(readable, released), []);
    assert.deepEqual(breakingChanges(written, readable), []);
    const events = [event(shape), event(changed, 2, [writes]), event(changed, 2, [reads])] as const;
    assert.deepEqual(breakingChanges(events[1], events[0], { isStored: true }), []);
    assert.deepEqual(breakingChanges(events[2], events[1], { isStored: true }), []);
  });

  test('is not written at once', () => {
    const line = 'order.tested is written in schema version 2, which the release before does not read';
    assert.deepEqual(breakingChanges(released, written), [line]);
    assert.deepEqual(breakingChanges(written, released), [
      'order.tested was written in schema version 2, which is not read any more',
    ]);
  });

  test('does not make the one before unreadable', () => {
    assert.deepEqual(breakingChanges(released, message(changed, 2)), [
      'order.tested was written in schema version 1, which is not read any more',
      'order.tested is written in schema version 2, which the release before does not read',
    ]);
  });

  test('stays as it was announced', () => {
    const other = message({ ...fewer, total: z.string() }, 2, [reads]);
    assert.deepEqual(breakingChanges(readable, other), ['order.tested.total was integer and is string']);
  });

  test('may outlive the one before as a message, but not as an event', () => {
    assert.deepEqual(breakingChanges(written, message(changed, 2)), []);
    const stored = breakingChanges(event(changed, 2, [reads]), event(changed, 2), { isStored: true });
    assert.deepEqual(stored, ['OrderTested was written in schema version 1, which is not read any more']);
  });
});

describe('a new kind', () => {
  test('of message may be published at once: who has not subscribed does not hear it', () => {
    assert.deepEqual(breakingChanges({}, message(shape)), []);
    assert.deepEqual(breakingChanges(message(shape), {}), ['order.tested is gone']);
  });

  test('of event is announced first: everybody reads whole streams', () => {
    const [announced, appended] = [event(shape, 1, [], { isAnnounced: true }), event(shape)];
    assert.deepEqual(breakingChanges({}, announced, { isStored: true }), []);
    assert.deepEqual(breakingChanges(announced, appended, { isStored: true }), []);
    assert.deepEqual(breakingChanges(appended, announced, { isStored: true }), []);
    assert.deepEqual(breakingChanges({}, appended, { isStored: true }), [
      'OrderTested is not known to the release before; announce it first',
    ]);
  });
});
