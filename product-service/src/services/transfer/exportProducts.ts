import { Readable } from 'node:stream';
import type { Product } from '../../domain/product.ts';
import type { ImportRow } from '../../domain/productFields.ts';
import { type ProductModel, withoutMessages } from '../../models/productModel.ts';

const batchSize = 500;

/**
 * All active products as import rows, one JSON object per line, in the order in which they were made (parents before
 * their variants). Importing them again changes nothing. Reads a batch when the one before was taken.
 * @param idleMs gives up when the reader takes nothing for so long
 */
export function exportProducts(model: ProductModel, idleMs: number): Readable {
  const watched = async function* () {
    for await (const text of batches(model)) {
      const timer = setTimeout(() => stream.destroy(new Error('The reader of the export has stopped')), idleMs);
      try {
        yield text;
      } finally {
        clearTimeout(timer);
      }
    }
  };
  const stream: Readable = Readable.from(watched(), { highWaterMark: 1 });
  return stream;
}

async function* batches(model: ProductModel): AsyncGenerator<string> {
  for (let last = ''; ; ) {
    const products = await model
      .find({ _id: { $gt: last } }, withoutMessages)
      .sort({ _id: 1 })
      .limit(batchSize)
      .lean<Product[]>();
    const end = products.at(-1);
    if (!end) return;
    last = end._id;
    const active = products.filter(product => product.status === 'active');
    const skus = await parentSkus(model, active);
    if (active.length > 0) yield active.map(product => `${JSON.stringify(rowOf(product, skus))}\n`).join('');
  }
}

async function parentSkus(model: ProductModel, products: readonly Product[]): Promise<Map<string, string>> {
  const ids = new Set(products.flatMap(product => product.parentId ?? []));
  if (ids.size === 0) return new Map();
  const parents = await model.find({ _id: { $in: [...ids] } }, { sku: 1 }).lean<Pick<Product, '_id' | 'sku'>[]>();
  return new Map(parents.map(parent => [parent._id, parent.sku]));
}

function rowOf(product: Product, skuOf: ReadonlyMap<string, string>): ImportRow {
  const { sku, name, description, category, price, images, attributes, lowStockThreshold, options, parentId } = product;
  const parentSku = parentId === null ? undefined : skuOf.get(parentId);
  return {
    ...{ sku, name, description, category, price, images, attributes },
    ...(lowStockThreshold === null ? {} : { lowStockThreshold }),
    ...(options.length === 0 ? {} : { options }),
    ...(parentSku === undefined ? {} : { parentSku }),
  };
}
