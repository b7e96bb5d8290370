import type { Message } from '@tradepost/shared/messaging/message';
import { outboxFields } from '@tradepost/shared/messaging/outbox';
import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import { type Connection, type Model, Schema } from 'mongoose';
import type { Product } from '../domain/product.ts';

/** A product with the messages that wait to be published. */
export interface ProductDocument extends Product {
  outbox: Message[];
}

/** Projection that leaves out what belongs to the relay of messages. */
export const withoutMessages = { outbox: 0, outboxLease: 0 } as const;

export type ProductModel = Model<ProductDocument>;

const money = createSchema<Product['price']>(
  { amount: { type: Number, required: true }, currency: { type: String, required: true } },
  { ...schemaOptions, _id: false },
);

const stock = createSchema<Product['stock']>(
  {
    available: { type: Number, required: true },
    low: { type: Boolean, required: true },
    version: { type: Number, required: true },
  },
  { ...schemaOptions, _id: false },
);

const schema = createSchema<ProductDocument>(
  {
    _id: { type: String, required: true },
    sku: { type: String, required: true },
    name: { type: String, required: true },
    description: { type: String, default: '' },
    category: { type: String, default: null },
    price: { type: money, required: true },
    images: { type: [String], default: [] },
    attributes: { type: Schema.Types.Mixed, default: {} },
    status: { type: String, enum: ['active', 'archived'], required: true },
    availability: { type: String, enum: ['in_stock', 'low_stock', 'out_of_stock'], required: true },
    stock: { type: stock, required: true },
    lowStockThreshold: { type: Number, default: null },
    parentId: { type: String, default: null },
    options: { type: [String], default: [] },
    variantKey: { type: String, default: null },
    version: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    ...outboxFields,
  },
  schemaOptions,
);
schema.index({ sku: 1 }, { unique: true });
schema.index({ parentId: 1 });
// One variant for each combination of options; only variants have a key.
schema.index(
  { parentId: 1, variantKey: 1 },
  { unique: true, partialFilterExpression: { variantKey: { $type: 'string' } } },
);

/** Makes the model of a connection. */
export const createProductModel = (connection: Connection): ProductModel =>
  createModel<ProductDocument>(connection, 'Product', schema, 'products');
