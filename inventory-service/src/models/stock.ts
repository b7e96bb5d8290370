import { type OutboxDocument, outboxFields } from '@tradepost/shared/messaging/outbox';
import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import { type Connection, type Model, Schema } from 'mongoose';
import type { Movement, Stock } from '../domain/stock.ts';

/**
 * The one document of a product's stock. Every change is one update that filters on `revision` as it was read and
 * writes a new random one: whoever was slower reads and decides again. A random value and not a counter, because a
 * killed server may forget writes that others have read, and a counter would come to the same number twice.
 */
export interface StockDocument extends Stock, OutboxDocument {
  /** The product's id. */
  _id: string;
  revision: string;
  /** Movements not yet moved to the ledger, written by the update that they tell of. */
  movements: Movement[];
  /** How often movements were moved to the ledger. */
  drained: number;
  /** How often a drain has begun. */
  drainClaims: number;
  updatedAt: Date;
}

export const movementFields = {
  seq: { type: Number, required: true },
  type: { type: String, required: true },
  quantity: { type: Number, required: true },
  orderId: String,
  holdId: String,
  reason: String,
  onHandAfter: { type: Number, required: true },
  reservedAfter: { type: Number, required: true },
  at: { type: Date, required: true },
};

// The arrays are not cast: their entries are made by the rules alone, and casting thousands costs more than writing them.
const entries = { type: [Schema.Types.Mixed], required: true };

const stockSchema = createSchema<StockDocument>(
  {
    _id: { type: String, required: true },
    onHand: { type: Number, required: true },
    reserved: { type: Number, required: true },
    seq: { type: Number, required: true },
    holds: entries,
    releasedOrders: { type: [String], required: true },
    revision: { type: String, required: true },
    movements: entries,
    drained: { type: Number, required: true },
    drainClaims: { type: Number, required: true },
    ...outboxFields,
    updatedAt: { type: Date, required: true },
  } as never,
  { ...schemaOptions, collection: 'stock' },
);
// Pinned holds have no time, so this finds what the sweeper looks for; the other finds what waits for the ledger.
stockSchema.index({ 'holds.expiresAt': 1 });
stockSchema.index({ 'movements.at': 1 });

export const createStockModel = (connection: Connection) =>
  createModel<StockDocument>(connection, 'Stock', stockSchema);
export type StockModel = Model<StockDocument>;
