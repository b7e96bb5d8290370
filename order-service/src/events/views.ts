import { isDeepStrictEqual } from 'node:util';
import { createGroupedUpdates, createGroupedUpserts } from '@tradepost/shared/groupedUpdates';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import type { Order } from '../domain/order.ts';
import type { OrderViewModel } from '../models/orderView.ts';

/**
 * Writes what lists show of an order, unless a newer version is there already. Not journaled: the relay makes sure of
 * every version, also when this write is forgotten. What it shows was acknowledged before, so it may be read as it is.
 */
export async function writeView(views: OrderViewModel, orderId: string, order: Order): Promise<void> {
  const { filter, update } = viewOf(orderId, order);
  try {
    await views.collection.updateOne(filter as never, update, {
      upsert: true,
      writeConcern: { w: 1, journal: false },
    });
  } catch (error) {
    // The upsert met a view that is not older.
    if (!isDuplicateKey(error)) throw error;
  }
}

/** Makes sure that the view of an order shows at least this version of it, durably; see `createViewConfirmation`. */
export type ConfirmView = (orderId: string, order: Order) => Promise<void>;

/**
 * Makes sure of views. What is asked for at the same time goes out as one command. A view that is there already is marked,
 * so that what was read of it is known to be durable.
 */
export function createViewConfirmation(views: OrderViewModel): ConfirmView {
  const mark = createGroupedUpdates(views);
  const write = createGroupedUpserts(views);
  return async (orderId, order) => {
    const { version } = order;
    // Of an order that is under way nobody but the relay writes a view.
    const isThere =
      order.status !== 'pending' &&
      (await mark({
        filter: { _id: orderId, userId: order.userId, version: { $gte: version } },
        update: { $max: { relayed: version } },
      }));
    if (!isThere) await write(viewOf(orderId, order, version));
  };
}

const viewOf = (orderId: string, { holds: _, ...view }: Order, relayed?: number) => ({
  filter: { _id: orderId, userId: view.userId, version: { $lt: view.version } },
  update: { $set: { ...view, ...(relayed === undefined ? {} : { relayed }) } },
});

/** Whether a view shows exactly what the order's stream adds up to. */
export function sameView(view: object | null | undefined, order: Order): boolean {
  if (!view) return false;
  const { _id, relayed: _, ...shown } = view as Record<string, unknown>;
  const { holds: __, ...expected } = order;
  return isDeepStrictEqual(JSON.parse(JSON.stringify(shown)), JSON.parse(JSON.stringify(expected)));
}
