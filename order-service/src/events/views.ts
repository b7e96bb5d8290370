import { isDeepStrictEqual } from 'node:util';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import type { Order } from '../domain/order.ts';
import type { OrderViewModel } from '../models/orderView.ts';

/**
 * Writes what lists show of an order, unless a newer version is there already.
 * @param relayed set by the relay, which makes sure of every version even when the writer before it was killed
 */
export async function writeView(views: OrderViewModel, orderId: string, order: Order, relayed = false): Promise<void> {
  const { holds: _, ...view } = order;
  const document = { ...view, ...(relayed ? { relayed: order.version } : {}) };
  try {
    await views.collection.updateOne(
      { _id: orderId, version: { $lt: order.version } } as never,
      { $set: document },
      { upsert: true },
    );
  } catch (error) {
    // The upsert met a view that is not older.
    if (!isDuplicateKey(error)) throw error;
  }
}

/** Whether the view shows at least `version`; marks it, so that what was read is known to be durable. */
export async function confirmView(views: OrderViewModel, orderId: string, version: number): Promise<boolean> {
  const marked = await views.collection.updateOne({ _id: orderId, version: { $gte: version } } as never, {
    $max: { relayed: version },
  });
  return marked.matchedCount === 1;
}

/** Whether a view shows exactly what the order's stream adds up to. */
export function sameView(view: object | null | undefined, order: Order): boolean {
  if (!view) return false;
  const { _id, relayed: _, ...shown } = view as Record<string, unknown>;
  const { holds: __, ...expected } = order;
  return isDeepStrictEqual(JSON.parse(JSON.stringify(shown)), JSON.parse(JSON.stringify(expected)));
}
