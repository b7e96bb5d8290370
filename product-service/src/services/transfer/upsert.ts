import { AppError, type FieldError, isAppError } from '@tradepost/shared/errors';
import { mongo } from 'mongoose';
import type { Product, ProductFields } from '../../domain/product.ts';
import type { ImportRow } from '../../domain/productFields.ts';
import { type ProductDocument, withoutMessages } from '../../models/productModel.ts';
import { checkParent, variantSafe } from '../variants.ts';
import { changedProduct, draftProduct, versionFilter, type WriteDependencies } from '../writeProduct.ts';

export interface BatchResult {
  created: number;
  updated: number;
  unchanged: number;
  rejected: { sku: string; errors: FieldError[] }[];
}

const maxRounds = 10;

/** One wanted write, and what the product is after it. */
interface Planned {
  sku: string;
  product: Product;
  isNew: boolean;
  operation: mongo.AnyBulkWriteOperation<ProductDocument>;
}

/**
 * Writes a batch of rows by one bulk write: unknown skus become products, known ones take over what differs, equal ones
 * are left alone. Rows that somebody else gets in before are looked at again.
 * @param rows by sku
 */
export async function upsertBatch(
  rows: ReadonlyMap<string, ImportRow>,
  dependencies: WriteDependencies,
): Promise<BatchResult> {
  const result: BatchResult = { created: 0, updated: 0, unchanged: 0, rejected: [] };
  const left = new Map(rows);
  // Rows whose write may have been done although the bulk write could not tell.
  const unsure = new Set<string>();
  for (let round = 0; left.size > 0; round += 1) {
    if (round === maxRounds) {
      throw new AppError('service_unavailable', { detail: 'The products are being changed too often', retryAfter: 1 });
    }
    const planned = await planWrites(left, unsure, result, dependencies);
    if (planned.length > 0) await write(planned, left, unsure, result, dependencies);
  }
  return result;
}

/** Takes rows that need no write out of `left` and counts them. */
async function planWrites(
  left: Map<string, ImportRow>,
  unsure: ReadonlySet<string>,
  result: BatchResult,
  { model, publishers, clock, newId }: WriteDependencies,
): Promise<Planned[]> {
  const skus = new Set([...left.keys(), ...[...left.values()].flatMap(row => row.parentSku ?? [])]);
  const stored = await model.find({ sku: { $in: [...skus] } }, withoutMessages).lean<Product[]>();
  const known = new Map(stored.map(product => [product.sku, product]));
  const planned: Planned[] = [];
  for (const [sku, { parentSku, ...fields }] of left) {
    const current = known.get(sku);
    const parent = parentSku === undefined ? undefined : known.get(parentSku);
    try {
      if (!current) {
        if (parentSku !== undefined) checkParent(parent, fields, 'parentSku');
        const product = draftProduct(fields, parent, { id: newId(), at: clock() });
        const outbox = [publishers.created(product, fields.initialStock ?? 0)];
        planned.push({ sku, product, isNew: true, operation: { insertOne: { document: { ...product, outbox } } } });
        continue;
      }
      const change = changedProduct(current, await variantSafe(model, current, wantedOf(fields)), clock());
      if (change) {
        const update = { $set: change.set, $push: { outbox: publishers.updated(change.product) } };
        const operation = { updateOne: { filter: versionFilter(current, change.set), update } };
        planned.push({ sku, product: change.product, isNew: false, operation });
        continue;
      }
      result[unsure.has(sku) ? 'updated' : 'unchanged'] += 1;
    } catch (error) {
      if (!isAppError(error, 'invalid_request')) throw error;
      result.rejected.push({ sku, errors: error.extras.errors ?? [] });
    }
    left.delete(sku);
  }
  return planned;
}

/** An archived product that is imported again is back on sale. */
function wantedOf({ initialStock: _, ...fields }: Omit<ImportRow, 'parentSku'>): Partial<ProductFields> {
  return { ...(fields as Partial<ProductFields>), status: 'active' };
}

/** Takes rows that were surely written, or surely refused, out of `left`. */
async function write(
  planned: readonly Planned[],
  left: Map<string, ImportRow>,
  unsure: Set<string>,
  result: BatchResult,
  { model, onWritten }: WriteDependencies,
): Promise<void> {
  const { matched, failed } = await bulkWrite(model.collection, planned);
  const updates = planned.filter((one, at) => !one.isNew && !failed.has(at));
  const allMatched = matched === updates.length;
  const written: Product[] = [];
  planned.forEach((one, at) => {
    const error = failed.get(at);
    if (error?.includes('variantKey')) {
      result.rejected.push({ sku: one.sku, errors: [{ path: 'attributes', message: 'another variant has the same' }] });
      left.delete(one.sku);
    } else if (!error && (one.isNew || allMatched)) {
      result[one.isNew ? 'created' : 'updated'] += 1;
      left.delete(one.sku);
      written.push(one.product);
    } else if (!error) unsure.add(one.sku);
  });
  onWritten(written);
}

/** @returns how many updates found their product, and the duplicate-key errors by operation; other errors are thrown */
async function bulkWrite(
  collection: Pick<mongo.Collection, 'bulkWrite'>,
  planned: readonly Planned[],
): Promise<{ matched: number; failed: Map<number, string> }> {
  const operations = planned.map(one => one.operation) as mongo.AnyBulkWriteOperation[];
  try {
    const { matchedCount } = await collection.bulkWrite(operations, { ordered: false });
    return { matched: matchedCount, failed: new Map() };
  } catch (error) {
    if (!(error instanceof mongo.MongoBulkWriteError)) throw error;
    const errors = [error.writeErrors].flat();
    if (errors.length === 0 || errors.some(one => one.code !== 11000)) throw error;
    return { matched: error.matchedCount, failed: new Map(errors.map(one => [one.index, one.errmsg ?? ''])) };
  }
}
