import { etagOf, type Product } from '../domain/product.ts';

/** A product as clients read it, written down once for all answers that hold it. */
export interface WrittenProduct {
  status: Product['status'];
  etag: string;
  /** JSON. */
  text: string;
}

/** Writes a product as clients read it. */
export const written = (product: Product): WrittenProduct => ({
  status: product.status,
  etag: etagOf(product),
  text: JSON.stringify(viewOf(product)),
});

/** `product` of the API. */
export function viewOf(product: Product) {
  const { lowStockThreshold, options, parentId } = product;
  return {
    id: product._id,
    sku: product.sku,
    name: product.name,
    description: product.description,
    category: product.category,
    price: product.price,
    images: product.images,
    attributes: product.attributes,
    status: product.status,
    availability: product.availability,
    version: product.version,
    createdAt: product.createdAt.toISOString(),
    updatedAt: product.updatedAt.toISOString(),
    ...(lowStockThreshold === null ? {} : { lowStockThreshold }),
    ...(options.length === 0 ? {} : { options }),
    ...(parentId === null ? {} : { parentId }),
  };
}
