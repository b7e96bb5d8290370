import { isDuplicateKey } from '@tradepost/shared/mongo';
import { fold, type Order } from '../domain/order.ts';
import { type EventStore, recorded } from '../events/eventStore.ts';
import { sameView } from '../events/views.ts';
import type { CommitDocument, CommitModel } from '../models/commit.ts';
import type { OrderViewModel } from '../models/orderView.ts';

export interface RebuildReport {
  orders: number;
  /** Views that were wrong, missing or without an order. */
  mended: number;
  /** Orders whose streams cannot be folded; their views are left as they are. */
  unreadable: { orderId: string; reason: string }[];
}

interface Parts {
  eventStore: EventStore;
  commits: CommitModel;
  views: OrderViewModel;
}

/**
 * Makes the `orders` view anew from the log while the shop runs: each view is replaced in one write, unless the shop has
 * written a newer one meanwhile.
 * @param onProgress called after each order with how many commits are done, of how many
 */
export async function rebuildViews(
  parts: Parts,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<RebuildReport> {
  const { eventStore, commits, views } = parts;
  const total = await commits.estimatedDocumentCount();
  const report: RebuildReport = { orders: 0, mended: 0, unreadable: [] };
  let done = 0;
  for await (const { orderId, commits: stream } of eventStore.streams()) {
    const order = folded(stream);
    if (order instanceof Error) report.unreadable.push({ orderId, reason: order.message });
    else if (order && (await mendView(parts, orderId, order))) report.mended += 1;
    report.orders += 1;
    done += stream.length;
    onProgress(done, Math.max(done, total));
  }
  report.mended += await removeOrphans(commits, views);
  return report;
}

/** What the commits add up to, or why they do not: a corrupt stream, or one that a newer version wrote. */
function folded(stream: readonly CommitDocument[]): Order | Error | undefined {
  try {
    return fold(stream.flatMap(recorded));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Whether the view had to be written: it was missing, of another version, or showed other values. */
async function mendView({ eventStore, views }: Parts, orderId: string, known: Order): Promise<boolean> {
  for (let order = known; ; ) {
    const shown = await views.collection.findOne({ _id: orderId } as never);
    if (sameView(shown, order)) return false;
    // Read after the view, the stream cannot be older than what a right view shows.
    order = fold(await eventStore.load(orderId)) ?? order;
    if (sameView(shown, order)) return false;
    if (await replaceView(views, orderId, shown, order)) return true;
  }
}

/** Writes the view unless it is no longer the one that was seen. */
async function replaceView(
  views: OrderViewModel,
  orderId: string,
  shown: { [field: string]: unknown; userId?: unknown; version?: unknown } | null,
  { holds: _, ...order }: Order,
): Promise<boolean> {
  const view = { ...order, relayed: order.version };
  try {
    if (!shown) await views.collection.insertOne({ _id: orderId, ...view } as never);
    else {
      const seen = { _id: orderId, userId: shown.userId ?? null, version: shown.version ?? null };
      return (await views.collection.replaceOne(seen as never, view)).matchedCount === 1;
    }
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/** Deletes views of orders that have no stream. */
async function removeOrphans(commits: CommitModel, views: OrderViewModel): Promise<number> {
  const orphans: string[] = [];
  const check = async (ids: string[]): Promise<void> => {
    const known = new Set(await commits.distinct('orderId', { orderId: { $in: ids } }));
    orphans.push(...ids.filter(id => !known.has(id)));
  };
  let batch: string[] = [];
  for await (const { _id } of views.find().select({ _id: 1 }).lean().cursor({ batchSize: 500 })) {
    batch.push(_id);
    if (batch.length === 500) {
      await check(batch);
      batch = [];
    }
  }
  if (batch.length > 0) await check(batch);
  if (orphans.length === 0) return 0;
  return (await views.deleteMany({ _id: { $in: orphans } })).deletedCount;
}
