import type { Registry } from '@tradepost/shared/observability/metrics';
import { Counter, Gauge } from 'prom-client';
import type { Catalogue } from '../domain/catalogue.ts';
import type { ImportResult } from '../domain/transfer.ts';

/** Shows how many products lists and searches are answered from. */
export function watchCatalogue(registry: Registry, catalogue: Pick<Catalogue, 'size'>): void {
  new Gauge({
    name: 'catalogue_products',
    help: 'Active products in memory',
    registers: [registry],
    collect() {
      this.set(catalogue.size());
    },
  });
}

/** Counts rows of imports by what became of them. */
export function createImportCounter(registry: Registry): (result: ImportResult) => void {
  const rows = new Counter({
    name: 'product_import_rows_total',
    help: 'Rows of imports by outcome',
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of ['created', 'updated', 'unchanged', 'rejected']) rows.inc({ outcome }, 0);
  return ({ created, updated, unchanged, rejected, rejectedCount = rejected.length }) => {
    for (const [outcome, count] of Object.entries({ created, updated, unchanged, rejected: rejectedCount })) {
      rows.inc({ outcome }, count);
    }
  };
}
