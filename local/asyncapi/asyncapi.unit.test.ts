import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import specs from '@asyncapi/specs';
import { orderCancelled } from '@tradepost/shared/events/orders';
import { newId } from '@tradepost/shared/ids';
import { createMessage } from '@tradepost/shared/messaging/message';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { breakingChanges, contractsIn } from './changes.ts';
import { type AsyncApi, asyncApiDocument, asyncApiFile, asyncApiText, messagesByFile } from './document.ts';

const committed: AsyncApi = parse(readFileSync(asyncApiFile, 'utf8'));
const options = { strict: false, validateFormats: false, allErrors: true } as const;

describe('docs/asyncapi.yaml', () => {
  test('is what npm run asyncapi writes', () => assert.equal(readFileSync(asyncApiFile, 'utf8'), asyncApiText()));

  test('keeps what consumers of the committed one rely on', () =>
    assert.deepEqual(breakingChanges(contractsIn(committed), contractsIn(asyncApiDocument())), []));

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
    assert.deepEqual(Object.keys(contractsIn(committed)).sort(), types.sort());
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
