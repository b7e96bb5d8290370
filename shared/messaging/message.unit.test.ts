import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import * as inventory from '../contracts/inventory.ts';
import * as payments from '../contracts/payments.ts';
import * as products from '../contracts/products.ts';
import * as users from '../contracts/users.ts';
import * as inventoryMessages from '../events/inventory.ts';
import * as orderMessages from '../events/orders.ts';
import * as paymentMessages from '../events/payments.ts';
import * as productMessages from '../events/products.ts';
import * as userMessages from '../events/users.ts';
import { newKind, thing } from '../testing/busSuiteTools.ts';
import {
  createMessage,
  decodeBody,
  defineMessage,
  encodeMessage,
  InvalidMessageError,
  NewerMessageError,
  parseEnvelope,
  parseMessage,
} from './message.ts';

test('a message survives the way and is checked on arrival', () => {
  const kind = newKind();
  const sent = thing(kind, 3);
  const received = decodeBody(encodeMessage(sent));
  assert.deepEqual(parseMessage(kind, received), sent);
  assert.deepEqual(parseEnvelope(received), sent);
  assert.throws(() => parseMessage(newKind(), received), InvalidMessageError);
  for (const spoilt of [null, 'text', { ...sent, id: '' }, { ...sent, specversion: '2.0' }, { ...sent, time: 'now' }]) {
    assert.throws(() => parseEnvelope(spoilt), InvalidMessageError);
  }
  assert.equal(decodeBody('{half'), '{half');
});

describe('releases that run side by side', () => {
  const common = { exchange: 'orders', type: 'order.tested', summary: 'for tests' } as const;
  const before = { data: { total: z.int() }, up: ({ total }: { total?: unknown }) => ({ paid: total, gift: false }) };
  const data = { paid: z.int(), gift: z.boolean() };
  const released = defineMessage({ ...common, version: 1, data: before.data });
  const down = ({ paid }: { paid?: unknown }) => ({ total: paid });
  const readable = defineMessage({ ...common, version: 2, data, before: [{ ...before, down }] });
  const written = defineMessage({ ...common, version: 2, data, before: [before] });

  const stamp = { id: 'm', source: 'order-service', subject: 's', at: new Date(0) };
  const old = createMessage(released, { ...stamp, data: { total: 7 } });
  const changed = { ...stamp, data: { paid: 7, gift: false } };

  test('write the version that both can read', () => {
    assert.deepEqual(createMessage(readable, changed), old);
    const { schemaversion, data: sent } = createMessage(written, changed);
    assert.deepEqual([schemaversion, sent], [2, changed.data]);
  });

  test('read what the other wrote', () => {
    assert.deepEqual(parseMessage(released, createMessage(readable, changed)).data, { total: 7 });
    for (const received of [old, createMessage(written, changed)])
      for (const definition of [readable, written]) {
        const { schemaversion, data: read } = parseMessage(definition, received);
        assert.deepEqual([schemaversion, read], [2, changed.data]);
      }
  });

  test('leave to the later one what only that can read', () => {
    const newer = {
      name: 'NewerMessageError',
      message: /schema version 2 of order.tested is not known to this version/,
    };
    assert.throws(() => parseMessage(released, createMessage(written, changed)), newer);
    assert.ok(!(new NewerMessageError() instanceof InvalidMessageError), 'it is tried again');
  });

  test('check what is old as strictly as what is new', () => {
    assert.throws(() => parseMessage(readable, { ...old, data: { total: 'seven' } }), InvalidMessageError);
    const forgotten = defineMessage({ ...common, version: 2, data });
    assert.throws(() => parseMessage(forgotten, old), /schema version 1 of order.tested is not known any more/);
    const wrong = defineMessage({ ...common, version: 2, data, before: [{ ...before, up: () => ({ paid: 'x' }) }] });
    assert.throws(() => parseMessage(wrong, old), /data of order.tested/);
  });

  test('are told of a way back that is none', () => {
    const lost = defineMessage({ ...common, version: 2, data, before: [{ ...before, down: () => ({}) }] });
    assert.throws(() => createMessage(lost, changed), z.ZodError);
  });
});

describe('fields that a later release adds are ignored', () => {
  const definitions = [inventoryMessages, orderMessages, paymentMessages, productMessages, userMessages].flatMap(
    module => Object.entries(module).map(([name, { data }]): [string, z.ZodType] => [name, data]),
  );
  // What is asked of a service is strict; what it answers may say more.
  const answers = [inventory, payments, products, users]
    .flatMap(module => Object.entries(module))
    .filter((entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType && !entry[0].endsWith('Request'));
  assert.ok(definitions.length > 10 && answers.length > 8);

  const isStrict = (schema: z.ZodType) =>
    JSON.stringify(z.toJSONSchema(schema, { io: 'input' })).includes('alProperties":false');

  for (const [name, schema] of [...definitions, ...answers]) {
    test(`in ${name}, at every depth`, () => assert.ok(!isStrict(schema)));
  }

  test('but the check finds a field that is not', () => {
    assert.ok(isStrict(z.object({ inside: z.array(z.strictObject({})) })));
  });
});
