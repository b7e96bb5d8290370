import type { stockChanged } from '@tradepost/shared/events/inventory';
import type { UpdateInGroup } from '@tradepost/shared/groupedUpdates';
import type { z } from 'zod';
import { availabilityOf, type Product } from '../domain/product.ts';
import type { Publishers } from '../events/publishers.ts';

type StockChange = z.infer<typeof stockChanged.data>;

export interface ApplyStockDependencies {
  readProduct(id: string): Promise<Product | undefined>;
  updateInGroup: UpdateInGroup;
  publishers: Publishers;
  /** Hands on what was written. `toldOthers` when messages were written with it. */
  onStock(product: Product, toldOthers: boolean): void;
}

const maxTries = 20;

/**
 * Takes over what inventory says of a product's stock, if it is newer than what is known: messages may come twice and in
 * any order. Throws when others keep changing the product, so that the message comes again.
 */
export async function applyStock(change: StockChange, dependencies: ApplyStockDependencies): Promise<void> {
  const { readProduct, updateInGroup, publishers, onStock } = dependencies;
  const { productId, available, low, version } = change;
  for (let tries = 0; tries < maxTries; tries += 1) {
    const current = await readProduct(productId);
    if (!current) return;
    if (current.stock.version >= version) {
      // Perhaps by the try before, whose outcome was not known.
      if (tries > 0) onStock(current, true);
      return;
    }
    const stock = { available, low, version };
    const product = { ...current, stock, availability: availabilityOf(stock, current.lowStockThreshold) };
    const isSame = product.availability === current.availability;
    const matched = await updateInGroup({
      filter: { _id: productId, version: current.version, 'stock.version': current.stock.version },
      update: {
        $set: { stock, availability: product.availability },
        ...(isSame ? {} : { $push: { outbox: publishers.availabilityChanged(product) } }),
      },
    });
    if (matched) return onStock(product, !isSame);
  }
  throw new Error(`product ${productId} is being changed too often`);
}
