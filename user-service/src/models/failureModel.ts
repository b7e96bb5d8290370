import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';

/** Recent failed attempts on one account; of an address without account just the same. */
export interface FailureDocument {
  /** Keyed hash of what is guarded: no address can be read from it. */
  _id: string;
  /** The latest ones, oldest first. */
  failures: { id: string; at: Date }[];
  /** When none of them counts any more (TTL). */
  expiresAt: Date;
}

export type FailureModel = Model<FailureDocument>;

const failure = createSchema<FailureDocument['failures'][number]>(
  { id: { type: String, required: true }, at: { type: Date, required: true } },
  { _id: false, id: false },
);

const schema = createSchema<FailureDocument>(
  {
    _id: { type: String, required: true },
    failures: { type: [failure], required: true },
    expiresAt: { type: Date, required: true },
  },
  { ...schemaOptions, collection: 'login_failures', id: false },
).index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const createFailureModel = (connection: Connection): FailureModel =>
  createModel<FailureDocument>(connection, 'LoginFailure', schema);
