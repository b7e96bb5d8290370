import type { Registry } from '@tradepost/shared/observability/metrics';
import { Counter } from 'prom-client';

export interface InventoryMetrics {
  /** Calls of reserve by what they were told. */
  reservations: Counter<'outcome'>;
  /** Holds that went back to stock because their time was over. */
  expiredHolds: Counter;
  /** Movements moved to the ledger. */
  drainedMovements: Counter;
  /** Writes that came second to another process's and were decided again. */
  writeConflicts: Counter;
}

export function createInventoryMetrics(registry: Registry): InventoryMetrics {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] });
  const reservations = new Counter({
    name: 'inventory_reservations_total',
    help: 'Calls of reserve by outcome: held, again, short, released',
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of ['held', 'again', 'short', 'released']) reservations.inc({ outcome }, 0);
  return {
    reservations,
    expiredHolds: counter('inventory_expired_holds_total', 'Holds given back to stock when their time was over'),
    drainedMovements: counter(
      'inventory_drained_movements_total',
      'Movements moved from stock documents to the ledger',
    ),
    writeConflicts: counter('inventory_write_conflicts_total', 'Stock writes decided again because another was faster'),
  };
}
