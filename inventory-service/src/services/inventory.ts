import { createGroupedUpdates } from '@tradepost/shared/groupedUpdates';
import type { ServiceDependencies } from '@tradepost/shared/service';
import type { InventoryConfig } from '../config.ts';
import { createLedgerModel } from '../models/ledger.ts';
import { createStockModel } from '../models/stock.ts';
import { createAdjustStock } from './adjustStock.ts';
import { createStockAudit } from './auditStock.ts';
import { createLedgerDrain } from './drainLedger.ts';
import { createInventoryMetrics } from './metrics.ts';
import { createOpenStock } from './openStock.ts';
import { createReadStock } from './readStock.ts';
import { createReserveStock } from './reserveStock.ts';
import { createSettleHolds } from './settleHolds.ts';
import { createStockWriter } from './stockWriter.ts';
import { createSweepHolds } from './sweepHolds.ts';

export type InventoryDependencies = Pick<
  ServiceDependencies,
  'connection' | 'clock' | 'newId' | 'random' | 'registry'
> & {
  /** Called after movements or messages were written. */
  onChange(): void;
};

/** All use cases of the service on one connection; nothing runs by itself. */
export function createInventory(dependencies: InventoryDependencies, config: InventoryConfig) {
  const { connection, clock, newId, random, registry, onChange } = dependencies;
  const { failpoint = () => {}, LOW_STOCK_THRESHOLD: lowStockThreshold, HOLD_TTL_MS: holdTtlMs } = config;
  const stocks = createStockModel(connection);
  const ledger = createLedgerModel(connection);
  const metrics = createInventoryMetrics(registry);
  const { drain, drainAll } = createLedgerDrain({ stocks, ledger, failpoint, metrics });
  const writer = createStockWriter({
    ...{ stocks, ledger, clock, newId, random, lowStockThreshold, failpoint, metrics, drain, onChange },
    updateInGroup: createGroupedUpdates(stocks),
  });
  return {
    stocks,
    ledger,
    drain,
    drainAll,
    openStock: createOpenStock({ stocks, clock, newId, lowStockThreshold, failpoint, onChange }),
    reserveStock: createReserveStock({ stocks, writer, clock, newId, holdTtlMs, metrics }),
    settleHolds: createSettleHolds(writer),
    adjustStock: createAdjustStock(writer, newId),
    sweepHolds: createSweepHolds({ stocks, writer, clock, metrics }),
    readStock: createReadStock(stocks, ledger),
    audit: createStockAudit({ stocks, ledger, failpoint }),
  };
}

export type Inventory = ReturnType<typeof createInventory>;
