import type { Clock } from '@tradepost/shared/clock';
import { currentContext } from '@tradepost/shared/context';
import type { NewId } from '@tradepost/shared/ids';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import type { Failpoint } from '../config.ts';
import { applyMovement, nextMovement, type Stock } from '../domain/stock.ts';
import { messagesOf } from '../events/publishers.ts';
import type { StockModel } from '../models/stock.ts';

export interface OpenStockOptions {
  stocks: StockModel;
  clock: Clock;
  newId: NewId;
  lowStockThreshold: number;
  failpoint: Failpoint;
  onChange(): void;
}

const empty: Stock = { onHand: 0, reserved: 0, seq: 0, holds: [], releasedOrders: [] };

/** Opens the stock of a new product with its first pieces; a stock that is open already stays as it is. */
export function createOpenStock(options: OpenStockOptions): (productId: string, quantity: number) => Promise<void> {
  const { stocks, clock, newId, failpoint, lowStockThreshold } = options;
  return async (productId, quantity) => {
    const at = clock();
    const movement = nextMovement(empty, 'open', { id: `open:${productId}`, quantity }, at);
    const after = applyMovement(empty, movement);
    const outbox = messagesOf({
      ...{ productId, before: undefined, after, movements: [movement], lowStockThreshold, newId, at },
      traceparent: currentContext()?.traceparent,
    });
    const bookkeeping = { revision: newId(), movements: [movement], drained: 0, drainClaims: 0, outbox, updatedAt: at };
    for (;;) {
      await failpoint('inventory.open.beforeWrite');
      try {
        await stocks.insertOne({ _id: productId, ...after, holds: [], releasedOrders: [], ...bookkeeping });
        await failpoint('inventory.open.afterWrite');
        return options.onChange();
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      // Another opened it; the message may only be taken as done when that cannot be forgotten any more.
      const known = await stocks.updateOne({ _id: productId }, { $set: { revision: newId() } });
      if (known.matchedCount === 1) return;
    }
  };
}
