import type { Clock } from '@tradepost/shared/clock';
import type { Product } from '../domain/product.ts';
import { type ProductModel, withoutMessages } from '../models/productModel.ts';
import { type WrittenProduct, written } from './writtenProduct.ts';

/** Products by id as clients read them, kept in memory until they change. */
export interface ProductCache {
  /** Products in the order of the ids; unknown ones are left out. */
  getMany(ids: readonly string[]): Promise<WrittenProduct[]>;
  /** Forgets a product that changed. */
  drop(id: string): void;
  /** Forgets all, after changes may have been missed. */
  clear(): void;
}

export interface ProductCacheOptions {
  model: ProductModel;
  /** Most products kept; the least recently used go first. */
  size: number;
  /** Most letters of all that is kept, since products may be long; default 32 million. */
  letters?: number;
  /** Whether changes made elsewhere are heard of; what is kept is not trusted while they are not. */
  hearsChanges: () => boolean;
  clock: Clock;
}

/** Milliseconds after which a product is read again even if no change was heard of. */
const maxAgeMs = 30_000;

export function createProductCache(options: ProductCacheOptions): ProductCache {
  const { model, size, letters: mostLetters = 32_000_000, hearsChanges, clock } = options;
  const kept = new Map<string, { product: WrittenProduct; at: number }>();
  let letters = 0;
  // What changed while a read ran, by read: it does not keep what it found of that.
  const reading = new Set<Set<string>>();
  let clears = 0;

  const forget = (id: string) => {
    letters -= kept.get(id)?.product.text.length ?? 0;
    kept.delete(id);
  };

  const recall = (id: string): WrittenProduct | undefined => {
    const one = kept.get(id);
    if (!one || !hearsChanges()) return undefined;
    if (clock().getTime() - one.at > maxAgeMs) return undefined;
    kept.delete(id);
    kept.set(id, one);
    return one.product;
  };

  const keep = (products: readonly (readonly [id: string, product: WrittenProduct])[]) => {
    const at = clock().getTime();
    for (const [id, product] of products) {
      forget(id);
      kept.set(id, { product, at });
      letters += product.text.length;
    }
    for (const id of kept.keys()) {
      if (kept.size <= size && letters <= mostLetters) break;
      forget(id);
    }
  };

  return {
    async getMany(ids) {
      const found = new Map<string, WrittenProduct>();
      for (const id of ids) {
        const product = recall(id);
        if (product) found.set(id, product);
      }
      const missing = ids.filter(id => !found.has(id));
      if (missing.length > 0) {
        const [changed, before] = [new Set<string>(), clears];
        reading.add(changed);
        const stored = await model
          .find({ _id: { $in: missing } }, withoutMessages)
          .lean<Product[]>()
          .finally(() => reading.delete(changed));
        for (const product of stored) found.set(product._id, written(product));
        if (before === clears) keep(stored.flatMap(({ _id: id }) => (changed.has(id) ? [] : [[id, found.get(id)!]])));
      }
      return ids.flatMap(id => found.get(id) ?? []);
    },
    drop(id) {
      for (const changed of reading) changed.add(id);
      forget(id);
    },
    clear() {
      clears += 1;
      kept.clear();
      letters = 0;
    },
  };
}
