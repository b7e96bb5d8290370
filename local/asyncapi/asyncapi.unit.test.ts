import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import specs from '@asyncapi/specs';
import { orderCancelled } from '@tradepost/shared/events/orders';
import { newId } from '@tradepost/shared/ids';
import { createMessage, defineMessage } from '@tradepost/shared/messaging/message';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { z } from 'zod';
import { breakingChanges } from './changes.ts';
import { type AsyncApi, asyncApiDocument, asyncApiFile, asyncApiText, messagesByFile } from './document.ts';

const committed: AsyncApi = parse(readFileSync(asyncApiFile, 'utf8'));
const options = { strict: false, validateFormats: false, allErrors: true } as const;

describe('docs/asyncapi.yaml', () => {
  test('is what npm run asyncapi writes', () => assert.equal(readFileSync(asyncApiFile, 'utf8'), asyncApiText()));

  test('keeps what consumers of the committed one rely on', () =>
    assert.deepEqual(breakingChanges(committed, asyncApiDocument()), []));

  test('is an AsyncAPI 3 document', () => {
    // Their own draft-07 is among the definitions.
    const check = new Ajv({ ...options, meta: false, validateSchema: false }).compile(specs.schemas['3.0.0']);
    check(committed);
    assert.deepEqual(check.errors, null);
    check({ ...committed, channels: { wrong: { address: 7 } } });
    assert.ok(check.errors, 'a wrong one is found');
  });

  test('refers only to what is there', () => {
    const refs = [...asyncApiText().matchAll(/\$ref: "#\/([^"]+)"/g)].map(match => String(match[1]));
    assert.ok(refs.length > 50);
    for (const ref of refs) {
      const found = ref.split('/').reduce<unknown>((part, key) => (part as Record<string, unknown>)?.[key], committed);
      assert.ok(found, ref);
    }
  });

  test('has every file of messages', () => {
    const files = readdirSync(new URL('../../shared/events/', import.meta.url)).map(name => name.replace('.ts', ''));
    assert.deepEqual(files.sort(), Object.keys(messagesByFile).sort());
    const types = Object.values(messagesByFile).flatMap(all => all.map(({ type }) => type));
    assert.deepEqual(Object.keys(committed.components.messages).sort(), types.sort());
  });

  test('fits the messages that are sent', () => {
    const schema = { ...committed, $ref: '#/components/messages/order.cancelled/payload' };
    const check = new Ajv(options).compile(schema);
    const data = { orderId: 'o', userId: 'u', version: 3, productIds: ['p'], reason: 'r' };
    const message = createMessage(orderCancelled, {
      ...{ id: newId(), source: 'order-service', subject: 'o', at: new Date(), data },
    });
    assert.ok(check(message), JSON.stringify(check.errors));
    assert.ok(!check({ ...message, data: { ...data, version: '3' } }));
    assert.ok(!check({ ...message, type: 'order.confirmed' }));
  });
});

describe('a change that breaks consumers is found', () => {
  const define = (data: z.ZodRawShape, version = 1) =>
    asyncApiDocument([
      defineMessage({ exchange: 'orders', type: 'order.tested', version, summary: 's', data }) as never,
    ]);
  const shape = {
    id: z.string(),
    count: z.int(),
    kind: z.enum(['a', 'b']),
    price: z.object({ amount: z.int(), currency: z.string() }),
    parts: z.array(z.object({ id: z.string() })).nullable(),
  };
  const old = define(shape);
  const { count, ...withoutCount } = shape;

  const broken: [string, z.ZodRawShape, string][] = [
    ['a field that is gone', withoutCount, 'order.tested.count is gone'],
    ['another type', { ...shape, count: z.string() }, 'order.tested.count was integer and is string'],
    ['a field that may be missing', { ...shape, id: z.string().optional() }, 'order.tested.id may be missing now'],
    [
      'a field that may be null',
      { ...shape, id: z.string().nullable() },
      'order.tested.id was string and is string or null',
    ],
    [
      'a value that nobody knows',
      { ...shape, kind: z.enum(['a', 'b', 'c']) },
      'order.tested.kind was "a" or "b" and is "a" or "b" or "c"',
    ],
    ['a field inside', { ...shape, price: z.object({ amount: z.int() }) }, 'order.tested.price.currency is gone'],
    [
      '… of a list that may be null',
      { ...shape, parts: z.array(z.object({})).nullable() },
      'order.tested.parts[].id is gone',
    ],
  ];
  for (const [name, changed, line] of broken) {
    test(name, () => assert.deepEqual(breakingChanges(old, define(changed)), [line]));
    test(`${name}, with a new version`, () => assert.deepEqual(breakingChanges(old, define(changed, 2)), []));
  }

  test('a kind of message that is gone, and a version that falls', () => {
    assert.deepEqual(breakingChanges(old, asyncApiDocument([])), ['order.tested is gone']);
    assert.deepEqual(breakingChanges(define(shape, 2), old), ['order.tested: its schema version has fallen']);
  });

  test('but not one that only adds', () => {
    const more = {
      ...shape,
      more: z.string(),
      kind: z.enum(['a']),
      parts: z.array(z.object({ id: z.string(), n: z.int() })),
    };
    assert.deepEqual(breakingChanges(old, define(more)), []);
  });
});
