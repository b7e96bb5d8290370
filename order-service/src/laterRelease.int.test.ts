import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import { orderEvents } from './domain/events.ts';
import type { EventKinds } from './domain/storedEvent.ts';
import { agreeOnSchemas } from './events/writtenSchemas.ts';
import { createCommitModel } from './models/commit.ts';
import { createSagaModel } from './models/saga.ts';
import { createWrittenSchemaModel } from './models/writtenSchema.ts';
import { eventually, startOrders, type TestOrders } from './orders.testing.ts';

let orders: TestOrders;
before(async () => {
  // One failure would park an order.
  orders = await startOrders({ SAGA_MAX_ATTEMPTS: 1 });
});
after(() => orders.close());

const models = () => ({ commits: createCommitModel(orders.connection), sagas: createSagaModel(orders.connection) });
const sagaOf = (id: string) => models().sagas.findById(id).lean();
const isPublished = async (id: string) => (await models().commits.countDocuments({ orderId: id, pending: true })) === 0;

async function done(token: string): Promise<string> {
  const { body } = await orders.place(token);
  await eventually(async () => (await sagaOf(body.id))?.status === 'done' && (await isPublished(body.id)));
  return body.id;
}

describe('an order that an instance of a later release has begun', () => {
  test('is refused for the moment, neither parked nor changed, and holds up no other', async () => {
    const { token } = orders.customer();
    const id = await done(token);
    const { commits, sagas } = models();
    const stored = { orderId: id, version: 1 };
    const stream = await commits.find({ orderId: id }).lean();
    await commits.collection.updateOne(stored, { $set: { 'events.0.schema': 2, pending: true } });
    await sagas.updateOne({ _id: id }, { $set: { status: 'running', nextRunAt: new Date(0) } });

    for (const [method, path] of [['GET', ''] as const, ['GET', '/events'] as const, ['POST', '/cancel'] as const]) {
      const { status, headers, body } = await orders.send(method, `/api/orders/${id}${path}`, { token });
      assert.deepEqual([status, body.code, headers.get('retry-after')], [503, 'service_unavailable', '1']);
      assert.equal(body.detail, 'event OrderCreated in schema 2 is not known to this version');
    }
    await eventually(async () => ((await sagaOf(id))?.attempts ?? 0) > 0);
    const { status, lastError } = (await sagaOf(id)) ?? {};
    assert.deepEqual([status, lastError], ['running', 'event OrderCreated in schema 2 is not known to this version']);
    await done(token);
    assert.equal(await isPublished(id), false, 'its message waits for an instance that can read it');

    // As an instance of the later release would find it.
    await commits.collection.updateOne(stored, { $set: { 'events.0.schema': 1 } });
    await eventually(async () => (await sagaOf(id))?.status === 'done' && (await isPublished(id)));
    assert.deepEqual(
      (await commits.find({ orderId: id }).lean()).map(({ version, events }) => ({ version, events })),
      stream.map(({ version, events }) => ({ version, events })),
    );
  });
});

describe('before an instance begins to work', () => {
  const model = () => createWrittenSchemaModel(orders.connection);
  const noted = async () => Object.fromEntries((await model().find().lean()).map(({ _id, schema }) => [_id, schema]));
  const empty = z.object({});
  const kinds = (more: EventKinds): EventKinds => ({ ...orderEvents, ...more });
  const [same, older] = [(data: object) => ({ ...data }), { data: empty, up: (data: object) => ({ ...data }) }];
  const readable = kinds({
    OrderShipped: { version: 2, data: empty, before: [{ ...older, down: same }] },
    OrderGifted: { version: 1, data: empty, isAnnounced: true },
  });
  const written = kinds({
    OrderShipped: { version: 2, data: empty, before: [older] },
    OrderGifted: { version: 1, data: empty },
  });

  test('it has noted in which versions it writes', async () => {
    assert.deepEqual(await noted(), Object.fromEntries(Object.keys(orderEvents).map(type => [type, 1])));
  });

  test('it goes back and forth between releases that read what the other writes', async () => {
    const first = await noted();
    await agreeOnSchemas(model(), readable);
    await agreeOnSchemas(model());
    assert.deepEqual(await noted(), first);
    await agreeOnSchemas(model(), written);
    await agreeOnSchemas(model(), readable);
    assert.deepEqual(await noted(), { ...first, OrderShipped: 2, OrderGifted: 1 });
  });

  test('it refuses to, where it could not read what was written, and says what', async () => {
    await assert.rejects(orders.service.start(), (error: unknown) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, /later release: this one cannot read Order(Shipped|Gifted) in schema \d, Order/);
      return true;
    });
  });
});
