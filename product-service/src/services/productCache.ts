import type { Clock } from '@tradepost/shared/clock';
import type { Product } from '../domain/product.ts';
import { type ProductModel, withoutMessages } from '../models/productModel.ts';

/** Products by id, kept in memory until they change. */
export interface ProductCache {
  /** Products in the order of the ids; unknown ones are left out. */
  getMany(ids: readonly string[]): Promise<Product[]>;
  /** Forgets a product that changed. */
  drop(id: string): void;
  /** Forgets all, after changes may have been missed. */
  clear(): void;
}

export interface ProductCacheOptions {
  model: ProductModel;
  /** Most products kept; the least recently used go first. */
  size: number;
  /** Whether changes made elsewhere are heard of; what is kept is not trusted while they are not. */
  hearsChanges: () => boolean;
  clock: Clock;
}

/** Milliseconds after which a product is read again even if no change was heard of. */
const maxAgeMs = 30_000;

export function createProductCache({ model, size, hearsChanges, clock }: ProductCacheOptions): ProductCache {
  const kept = new Map<string, { product: Product; at: number }>();
  // Grows with every change, so that a read which began before one does not keep what it found.
  let changes = 0;

  const recall = (id: string): Product | undefined => {
    const one = kept.get(id);
    if (!one || !hearsChanges()) return undefined;
    kept.delete(id);
    if (clock().getTime() - one.at > maxAgeMs) return undefined;
    kept.set(id, one);
    return one.product;
  };

  const keep = (products: readonly Product[]) => {
    const at = clock().getTime();
    for (const product of products) kept.set(product._id, { product, at });
    for (const id of kept.keys()) {
      if (kept.size <= size) break;
      kept.delete(id);
    }
  };

  return {
    async getMany(ids) {
      const found = new Map<string, Product>();
      for (const id of ids) {
        const product = recall(id);
        if (product) found.set(id, product);
      }
      const missing = ids.filter(id => !found.has(id));
      if (missing.length > 0) {
        const before = changes;
        const read = await model.find({ _id: { $in: missing } }, withoutMessages).lean<Product[]>();
        for (const product of read) found.set(product._id, product);
        if (before === changes) keep(read);
      }
      return ids.flatMap(id => found.get(id) ?? []);
    },
    drop(id) {
      changes += 1;
      kept.delete(id);
    },
    clear() {
      changes += 1;
      kept.clear();
    },
  };
}
