import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId } from '@tradepost/shared/ids';
import type { OrderEvent } from '../domain/events.ts';
import { histories, refund } from '../domain/testing.ts';
import { createEventStore } from '../events/eventStore.ts';
import { createCommitModel } from '../models/commit.ts';
import { createOrderViewModel } from '../models/orderView.ts';
import { eventually, startOrders, type TestOrders } from '../orders.testing.ts';
import { rebuildViews } from './rebuildViews.ts';

let orders: TestOrders;
before(async () => {
  orders = await startOrders();
});
after(() => orders.close());

const parts = () => {
  const [commits, views] = [createCommitModel(orders.connection), createOrderViewModel(orders.connection)];
  return { commits, views, eventStore: createEventStore(commits, () => new Date(), newId) };
};
const viewRows = () => parts().views.collection.find().sort({ _id: 1 }).toArray();
const relayed = () => eventually(async () => (await parts().commits.countDocuments({ pending: true })) === 0);
const everyKind: OrderEvent[][] = [
  ...Object.values(histories),
  [...histories.delivered, refund('r1', 400)],
  [...histories['cancelled after confirmation'], refund('cancel:x', 1_000)],
];

/** Orders of every kind, in the log and published, so that the relay has written their views. */
async function live(): Promise<string[]> {
  const { eventStore } = parts();
  const ids: string[] = [];
  for (const events of everyKind) {
    const id = newId();
    ids.push(id);
    for (const [index, event] of events.entries())
      assert.notEqual(await eventStore.append(id, index, [event]), 'conflict');
  }
  await relayed();
  return ids;
}

describe('rebuilt views', () => {
  test('equal the live ones, document by document, however they were damaged', async () => {
    const ids = await live();
    const { views, eventStore, commits } = parts();
    const before = await viewRows();
    assert.equal(before.length, ids.length);
    const update = (id: string | undefined, change: object) => views.collection.updateOne({ _id: id } as never, change);
    await views.collection.deleteOne({ _id: ids[0] } as never);
    await update(ids[1], { $set: { version: 1 }, $unset: { lines: 1 } });
    await update(ids[2], { $inc: { total: 1 } });
    await update(ids[3], { $set: { version: 99, status: 'lost' } });
    await update(ids[4], { $unset: { version: 1 } });
    await update(ids[5], { $set: { 'payment.refunds': { x: 1 }, gift: true } });
    await views.collection.insertOne({ _id: 'orphan', status: 'confirmed', version: 1 } as never);
    const progress: [number, number][] = [];
    const report = await rebuildViews({ eventStore, commits, views }, (done, total) => progress.push([done, total]));
    assert.deepEqual(report, { orders: ids.length, mended: 7, unreadable: [] });
    assert.deepEqual(await viewRows(), before);
    const total = await commits.countDocuments();
    assert.deepEqual(progress.at(-1), [total, total]);
    assert.equal(progress.length, ids.length);
    assert.deepEqual(
      progress.map(([done]) => done),
      progress.map(([done]) => done).sort((a, b) => a - b),
    );
    assert.equal((await rebuildViews({ eventStore, commits, views })).mended, 0, 'nothing is left to mend');
    await views.collection.deleteMany({});
    assert.equal((await rebuildViews({ eventStore, commits, views })).mended, ids.length);
    assert.deepEqual(await viewRows(), before);
  });

  test('a stream that cannot be folded is named, and the others are rebuilt', async () => {
    const { views, eventStore, commits } = parts();
    const [gap, other] = (await live()).slice(-2);
    await commits.collection.updateOne({ orderId: gap, version: 2 }, { $set: { 'events.0.schema': 99 } });
    await views.collection.deleteOne({ _id: other } as never);
    const before = await views.findById(gap).lean();
    const report = await rebuildViews({ eventStore, commits, views });
    assert.equal(report.mended, 1);
    assert.deepEqual(report.unreadable, [
      { orderId: gap, reason: 'event StockReserved in schema 99 is not known to this version' },
    ]);
    assert.deepEqual(await views.findById(gap).lean(), before);
    await commits.collection.deleteMany({ orderId: gap });
    await views.collection.deleteOne({ _id: gap } as never);
  });

  test('readers see no gap, and newer views stay, while orders are placed', async () => {
    const { views, eventStore, commits } = parts();
    const { token } = orders.customer();
    const placed: string[] = [];
    let [placing, rebuilt] = [true, 0];
    const place = async (): Promise<void> => {
      for (let n = 0; n < 12; n += 1) {
        const { body, status } = await orders.place(token);
        assert.equal(status, 201);
        placed.push(body.id);
        if (n % 3 === 0) await orders.send('POST', `/api/orders/${body.id}/cancel`, { token, body: {} });
      }
      placing = false;
    };
    const read = async (): Promise<void> => {
      const newest = new Map<string, number>();
      while (placing) {
        const known = [...placed];
        const { body } = await orders.send('GET', '/api/orders?limit=100', { token });
        const shown = new Map<string, number>(
          body.items.map(({ id, version }: { id: string; version: number }) => [id, version]),
        );
        for (const id of known) assert.ok(shown.has(id), `${id} is listed`);
        for (const [id, version] of newest) assert.ok((shown.get(id) ?? 0) >= version, `${id} does not go back`);
        for (const [id, version] of shown) newest.set(id, version);
      }
    };
    const rebuild = async (): Promise<void> => {
      for (; placing; rebuilt += 1) await rebuildViews({ eventStore, commits, views });
    };
    await Promise.all([
      place().finally(() => {
        placing = false;
      }),
      read(),
      rebuild(),
    ]);
    assert.ok(rebuilt > 0);
    await relayed();
    const live = await viewRows();
    assert.equal((await rebuildViews({ eventStore, commits, views })).mended, 0);
    await views.collection.deleteMany({});
    await rebuildViews({ eventStore, commits, views });
    assert.deepEqual(await viewRows(), live);
  });
});
