import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import { type Connection, type Model, Schema } from 'mongoose';
import type { Order } from '../domain/order.ts';

/** An order as lists show it: what its stream adds up to at `version`. Can be rebuilt from the streams at any time. */
export interface OrderViewDocument extends Omit<Order, 'holds'> {
  _id: string;
  /** Version up to which the relay has made sure of it. */
  relayed?: number;
}

const viewSchema = createSchema<OrderViewDocument>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    status: { type: String, required: true },
    lines: { type: [Schema.Types.Mixed], required: true },
    currency: { type: String, required: true },
    total: { type: Number, required: true },
    payment: { type: Schema.Types.Mixed, required: true },
    shipment: Schema.Types.Mixed,
    cancellation: Schema.Types.Mixed,
    version: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    relayed: Number,
  } as never,
  { ...schemaOptions, collection: 'orders' },
);
viewSchema.index({ userId: 1, _id: -1 });
viewSchema.index({ userId: 1, status: 1, _id: -1 });
viewSchema.index({ status: 1, _id: -1 });

export const createOrderViewModel = (connection: Connection) =>
  createModel<OrderViewDocument>(connection, 'Order', viewSchema);
export type OrderViewModel = Model<OrderViewDocument>;
