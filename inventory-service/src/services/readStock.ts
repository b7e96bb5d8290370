import { AppError } from '@tradepost/shared/errors';
import { shown } from '@tradepost/shared/mongo';
import type { Movement } from '../domain/stock.ts';
import { type LedgerModel, movementOf } from '../models/ledger.ts';
import type { StockDocument, StockModel } from '../models/stock.ts';

export type StockLevel = Pick<StockDocument, '_id' | 'onHand' | 'reserved' | 'updatedAt'>;

export interface ReadStock {
  /** @throws AppError `not_found` */
  one(productId: string): Promise<StockLevel>;
  /** Those that are known, in the order of the ids. */
  many(productIds: readonly string[]): Promise<StockLevel[]>;
  /**
   * Movements of a product, newest first: the ledger's, and those that are still in the document.
   * @param page those with a number below `before`, at most `limit`
   * @throws AppError `not_found` when no stock is kept of the product
   */
  movements(productId: string, page: { before: number | undefined; limit: number }): Promise<Movement[]>;
}

const level = { onHand: 1, reserved: 1, updatedAt: 1 } as const;
const unknown = () => new AppError('not_found', { detail: 'No stock is kept of this product' });

export function createReadStock(stocks: StockModel, ledger: LedgerModel): ReadStock {
  return {
    async one(productId) {
      const found = await stocks.findById(productId, level).readConcern(shown).lean<StockLevel>();
      if (!found) throw unknown();
      return found;
    },

    async many(productIds) {
      const found = await stocks
        .find({ _id: { $in: [...productIds] } }, level)
        .readConcern(shown)
        .lean<StockLevel[]>();
      const byId = new Map(found.map(stock => [stock._id, stock]));
      return productIds.flatMap(id => byId.get(id) ?? []);
    },

    async movements(productId, { before = Number.MAX_SAFE_INTEGER, limit }) {
      // Document first: what is moved to the ledger between the two reads is then seen twice, not missed.
      const document = await stocks.findById(productId, { movements: 1 }).lean<Pick<StockDocument, 'movements'>>();
      if (!document) throw unknown();
      const entries = await ledger
        .find({ productId, seq: { $lt: before } })
        .sort({ seq: -1 })
        .limit(limit)
        .lean();
      const byId = new Map(entries.map(entry => [entry._id, movementOf(entry)]));
      for (const movement of document.movements) if (movement.seq < before) byId.set(movement.id, movement);
      return [...byId.values()].sort((a, b) => b.seq - a.seq).slice(0, limit);
    },
  };
}
