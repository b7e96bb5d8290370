import { lookupAnswer, lookupRequest } from '@tradepost/shared/contracts/products';
import { operation } from '@tradepost/shared/http/route';
import { id, idParams, timestamp } from '@tradepost/shared/http/schemas';
import { money } from '@tradepost/shared/money';
import { z } from 'zod';
import { newProduct, productPatch } from '../domain/productFields.ts';

export const tag = 'Products';

export const product = z
  .strictObject({
    id,
    sku: z.string().meta({ example: '85123A' }),
    name: z.string().meta({ example: 'White hanging heart T-light holder' }),
    description: z.string().meta({ example: 'A heart of white metal that holds a tea light' }),
    category: z.string().nullable().meta({ example: 'Home > Candles' }),
    price: money,
    images: z.array(z.string()).meta({ example: ['https://example.com/85123A.jpg'] }),
    attributes: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .meta({ example: { colour: 'white' } }),
    status: z.enum(['active', 'archived']),
    availability: z
      .enum(['in_stock', 'low_stock', 'out_of_stock'])
      .meta({ description: 'A hint; the reservation decides' }),
    version: z.int().positive(),
    createdAt: timestamp,
    updatedAt: timestamp,
    lowStockThreshold: z.int().optional().meta({ description: 'When the product has one of its own' }),
    options: z.array(z.string()).optional().meta({ description: 'When the product has variants: in what they differ' }),
    parentId: id.optional().meta({ description: 'Of a variant' }),
  })
  .meta({ id: 'Product' });

export const etag = { ETag: 'Version of the answer, for If-None-Match' };
export const conditional = {
  'If-None-Match': { description: 'ETag of an answer that the client has; 304 when it is still right' },
};
export const unchanged = { description: 'What the client has is still right' };
const ifMatch = {
  'If-Match': { description: 'ETag, or version, that the change was made from; 412 when it is not the newest' },
};
export const getProduct = operation({
  id: 'getProduct',
  summary: 'One product',
  description: 'Archived products can still be read by id: orders name them.',
  tag,
  params: idParams,
  headers: conditional,
  answers: { 200: { description: 'The product', body: product, headers: etag }, 304: unchanged },
  errors: ['not_found'],
});

export const createProduct = operation({
  id: 'createProduct',
  summary: 'Add a product',
  tag,
  body: newProduct,
  answers: { 201: { description: 'The product', body: product, headers: { Location: 'Its address', ...etag } } },
  errors: ['sku_taken'],
});

export const patchProduct = operation({
  id: 'patchProduct',
  summary: 'Change fields of a product',
  description: 'Fields that are absent stay as they are; `attributes`, `images` and `options` are replaced as a whole.',
  tag,
  params: idParams,
  body: productPatch,
  headers: ifMatch,
  answers: { 200: { description: 'The product as it is now', body: product, headers: etag } },
  errors: ['not_found', 'version_conflict', 'sku_taken'],
});

export const archiveProduct = operation({
  id: 'archiveProduct',
  summary: 'Take a product off the lists',
  description: 'It is kept for the orders that name it. Repeating it is harmless.',
  tag,
  params: idParams,
  headers: ifMatch,
  answers: { 204: { description: 'It is archived' } },
  errors: ['not_found', 'version_conflict'],
});

export const lookupProducts = operation({
  id: 'lookupProducts',
  summary: 'Names and prices of this moment',
  tag,
  body: lookupRequest,
  answers: { 200: { description: 'Those of the ids that are active products', body: lookupAnswer } },
});
