import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';

/** One row per confirmed order of a user: how many orders a user has is the number of these. */
export interface ConfirmedOrderDocument {
  /** Order id. */
  _id: string;
  userId: string;
}

export type ConfirmedOrderModel = Model<ConfirmedOrderDocument>;

const schema = createSchema<ConfirmedOrderDocument>(
  { _id: { type: String, required: true }, userId: { type: String, required: true } },
  { ...schemaOptions, collection: 'confirmed_orders', id: false },
).index({ userId: 1 });

export const createConfirmedOrderModel = (connection: Connection): ConfirmedOrderModel =>
  createModel<ConfirmedOrderDocument>(connection, 'ConfirmedOrder', schema);
