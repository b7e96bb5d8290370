import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';
import type { Movement } from '../domain/stock.ts';
import { movementFields } from './stock.ts';

/** A movement after it has left the stock document. `_id` is the movement's id, so moving it twice leaves one. */
export interface LedgerEntry extends Omit<Movement, 'id'> {
  _id: string;
  productId: string;
}

const ledgerSchema = createSchema<LedgerEntry>(
  { _id: { type: String, required: true }, productId: { type: String, required: true }, ...movementFields } as never,
  { ...schemaOptions, collection: 'ledger' },
);
ledgerSchema.index({ productId: 1, seq: 1 });
ledgerSchema.index({ orderId: 1, productId: 1 });

export const createLedgerModel = (connection: Connection) =>
  createModel<LedgerEntry>(connection, 'LedgerEntry', ledgerSchema);
export type LedgerModel = Model<LedgerEntry>;

export const entryOf = (productId: string, { id, ...movement }: Movement): LedgerEntry => ({
  _id: id,
  productId,
  ...movement,
});

export const movementOf = ({ _id, productId: _, ...movement }: LedgerEntry): Movement => ({ id: _id, ...movement });
