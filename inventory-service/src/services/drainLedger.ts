import { isDuplicateKey } from '@tradepost/shared/mongo';
import type { Failpoint } from '../config.ts';
import { entryOf, type LedgerModel } from '../models/ledger.ts';
import type { StockDocument, StockModel } from '../models/stock.ts';
import type { InventoryMetrics } from './metrics.ts';

export interface LedgerDrain {
  /** Moves the movements of one product from its document to the ledger. */
  drain(productId: string): Promise<void>;
  /** Moves those of every product that has some. */
  drainAll(): Promise<void>;
}

export interface LedgerDrainOptions {
  stocks: StockModel;
  ledger: LedgerModel;
  failpoint: Failpoint;
  metrics: InventoryMetrics;
}

type Undrained = Pick<StockDocument, '_id' | 'movements'>;

/** Products whose movements are moved together. */
const pageSize = 100;
/** Matches every document with movements, by the index on their times. */
const hasMovements = { 'movements.at': { $gt: new Date(0) } };

/**
 * Any number of instances may drain the same product, and each may end between its writes: the ledger takes a movement
 * once, and a movement is in the document, in the ledger or in both, never in neither.
 */
export function createLedgerDrain({ stocks, ledger, failpoint, metrics }: LedgerDrainOptions): LedgerDrain {
  /** Moves the movements of some of the products that match, and tells of how many. */
  async function drainSome(filter: object): Promise<number> {
    const found = await confirmed(await stocks.find(filter, { movements: 1 }).limit(pageSize).lean<Undrained[]>());
    const entries = found.flatMap(({ _id, movements }) => movements.map(movement => entryOf(_id, movement)));
    if (entries.length === 0) return found.length;
    await failpoint('inventory.drain.beforeLedger');
    await ledger.insertMany(entries, { ordered: false, lean: true }).catch(ignoreKnown);
    await failpoint('inventory.drain.afterLedger');
    await stocks.bulkWrite(found.map(pullOf), { ordered: false });
    await failpoint('inventory.drain.afterPull');
    metrics.drainedMovements.inc(entries.length);
    return found.length;
  }

  /**
   * Leaves those movements that no killed server can forget any more: they are still there after a journaled write to
   * their document. Else the ledger could tell of what never happened.
   */
  async function confirmed(seen: readonly Undrained[]): Promise<Undrained[]> {
    if (seen.length === 0) return [];
    const those = { _id: { $in: seen.map(({ _id }) => _id) } };
    await stocks.updateMany(those, { $inc: { drainClaims: 1 } });
    const ids = new Set(seen.flatMap(({ movements }) => movements.map(({ id }) => id)));
    const again = await stocks.find(those, { movements: 1 }).lean<Undrained[]>();
    return again.map(({ _id, movements }) => ({ _id, movements: movements.filter(({ id }) => ids.has(id)) }));
  }

  return {
    async drain(productId) {
      await drainSome({ _id: productId, ...hasMovements });
    },
    async drainAll() {
      while ((await drainSome(hasMovements)) === pageSize);
    },
  };
}

function pullOf({ _id, movements }: Undrained) {
  const ids = movements.map(({ id }) => id);
  return {
    updateOne: {
      filter: { _id, 'movements.id': { $in: ids } },
      update: { $pull: { movements: { id: { $in: ids } } }, $inc: { drained: 1 } },
    },
  };
}

/** Rows that are there already were moved before; every other failure of the bulk insert is one. */
function ignoreKnown(error: unknown): void {
  const failures = (error as { writeErrors?: unknown }).writeErrors;
  const all = Array.isArray(failures) ? failures : [failures];
  if (!isDuplicateKey(error) || all.some(one => one !== undefined && (one as { code?: unknown }).code !== 11000)) {
    throw error;
  }
}
