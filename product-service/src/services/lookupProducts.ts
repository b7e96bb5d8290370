import type { LookupAnswer } from '@tradepost/shared/contracts/products';
import type { Product } from '../domain/product.ts';
import type { ProductModel } from '../models/productModel.ts';

/** Name and price of this moment, read from the database itself: an order must never take an old price. */
export async function lookupProducts(model: ProductModel, ids: readonly string[]): Promise<LookupAnswer> {
  const fields = { sku: 1, name: 1, price: 1 };
  const found = await model.find({ _id: { $in: ids }, status: 'active' }, fields).lean<Product[]>();
  return { products: found.map(({ _id, sku, name, price }) => ({ id: _id, sku, name, price })) };
}
