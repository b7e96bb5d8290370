import { schemaOptions } from '@tradepost/shared/mongo';
import { type Connection, type Model, Schema } from 'mongoose';

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

const failure = new Schema(
  { id: { type: String, required: true }, at: { type: Date, required: true } },
  { _id: false, id: false },
);

const schema = new Schema<FailureDocument>(
  {
    _id: { type: String, required: true },
    failures: { type: [failure], required: true },
    expiresAt: { type: Date, required: true },
  },
  { ...schemaOptions, collection: 'login_failures', id: false },
).index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const createFailureModel = (connection: Connection): FailureModel =>
  connection.model<FailureDocument>('LoginFailure', schema);
