import type { Clock } from '@tradepost/shared/clock';
import { expire } from '../domain/commands.ts';
import type { StockModel } from '../models/stock.ts';
import { applyToEach } from './applyToEach.ts';
import type { InventoryMetrics } from './metrics.ts';
import type { StockWriter } from './stockWriter.ts';

const pageSize = 200;

/** Gives back the holds whose time is over. Several instances may sweep at once: a hold is there to expire only once. */
export function createSweepHolds(options: {
  stocks: StockModel;
  writer: StockWriter;
  clock: Clock;
  metrics: InventoryMetrics;
}): () => Promise<void> {
  const { stocks, writer, clock, metrics } = options;
  return async () => {
    let full = true;
    while (full) {
      const page = await stocks
        .find({ 'holds.expiresAt': { $lte: clock() } }, { _id: 1 })
        .limit(pageSize)
        .lean();
      const products = page.map(({ _id }) => ({ productId: _id }));
      const expired = await applyToEach(writer, products, expire);
      metrics.expiredHolds.inc(expired.reduce<number>((sum, count) => sum + (count ?? 0), 0));
      full = page.length === pageSize;
    }
  };
}
