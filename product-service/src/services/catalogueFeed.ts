import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Catalogue } from '../domain/catalogue.ts';
import { type CatalogueRecord, recordFields } from '../domain/catalogueEntry.ts';
import type { Product } from '../domain/product.ts';
import type { ProductModel } from '../models/productModel.ts';
import type { ProductCache } from './productCache.ts';

/** Keeps this instance's catalogue and cache in step with the database. */
export interface CatalogueFeed {
  /** Reads all products, in batches; asked while that runs, once more after it. */
  load(): Promise<void>;
  /** Products as this instance has just written them. */
  written(products: readonly Product[]): void;
  /** A product was changed, perhaps by another instance: reads it unless that version is already known. */
  changed(id: string, isNews: (known: ReturnType<Catalogue['versionOf']>) => boolean): Promise<void>;
}

const batchSize = 500;
const projection = Object.fromEntries(recordFields.map(name => [name, 1]));

export function createCatalogueFeed(model: ProductModel, catalogue: Catalogue, cache: ProductCache): CatalogueFeed {
  let waiting = new Set<string>();
  let reading: Promise<void> | undefined;
  let loading: Promise<void> | undefined;
  let following: Promise<void> | undefined;

  /** One read for all that changed while the one before ran. */
  const read = async (): Promise<void> => {
    await nextTurn();
    const ids = [...waiting];
    waiting = new Set();
    reading = undefined;
    for (let at = 0; at < ids.length; at += batchSize) {
      const some = ids.slice(at, at + batchSize);
      catalogue.apply(await model.find({ _id: { $in: some } }, projection).lean<CatalogueRecord[]>());
    }
  };

  const readAll = async (): Promise<void> => {
    for (let last: string | undefined = ''; last !== undefined; ) {
      const batch: CatalogueRecord[] = await model
        .find({ _id: { $gt: last } }, projection)
        .sort({ _id: 1 })
        .limit(batchSize)
        .lean<CatalogueRecord[]>();
      catalogue.apply(batch);
      last = batch.at(-1)?._id;
    }
    cache.clear();
  };

  /** Changes may be missed behind the place that a running load has reached: another one follows it. */
  const load = (): Promise<void> => {
    if (loading !== undefined) {
      following ??= loading
        .catch(() => {})
        .then(() => {
          following = undefined;
          return load();
        });
      return following;
    }
    loading = readAll().finally(() => {
      loading = undefined;
    });
    return loading;
  };

  return {
    load,
    written(products) {
      for (const product of products) cache.drop(product._id);
      catalogue.apply(products);
    },
    async changed(id, isNews) {
      if (!isNews(catalogue.versionOf(id))) return;
      cache.drop(id);
      waiting.add(id);
      reading ??= read();
      await reading;
    },
  };
}
