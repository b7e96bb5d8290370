import type { CatalogueRecord } from './catalogueEntry.ts';

/** A product for tests of the catalogue. */
export function recordOf(given: Partial<CatalogueRecord> & { sku: string; amount?: number }): CatalogueRecord {
  const { amount, ...fields } = given;
  return {
    _id: given.sku,
    name: given.sku,
    description: '',
    category: null,
    price: { amount: amount ?? 100, currency: 'GBP' },
    attributes: {},
    status: 'active',
    availability: 'in_stock',
    stock: { available: 1, low: false, version: 0 },
    parentId: null,
    version: 1,
    createdAt: new Date(0),
    ...fields,
  };
}
