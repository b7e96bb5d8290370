import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import { type Connection, type Model, Schema } from 'mongoose';
import type { StoredEvent } from '../domain/storedEvent.ts';

/** One atomic append to an order's stream, and at the same time its row in the outbox until it is published. */
export interface CommitDocument {
  /** UUID version 7: reading by it follows the time of the commits. */
  _id: string;
  orderId: string;
  /** Version of the first event. */
  version: number;
  events: StoredEvent[];
  at: Date;
  traceparent?: string;
  /** True until the relay has published it; then absent. */
  pending?: true;
  /** Relay that is publishing it, and until when nobody else may. */
  claim?: { by: string; until: Date };
  /** Counts those who made sure that they act on a durable commit. */
  seen?: number;
}

const commitSchema = createSchema<CommitDocument>(
  {
    _id: { type: String, required: true },
    orderId: { type: String, required: true },
    version: { type: Number, required: true },
    events: { type: [Schema.Types.Mixed], required: true } as never,
    at: { type: Date, required: true },
    traceparent: String,
    pending: Boolean,
    claim: { type: { by: String, until: Date }, _id: false },
    seen: Number,
  } as never,
  { ...schemaOptions, collection: 'events' },
);
commitSchema.index({ orderId: 1, version: 1 }, { unique: true });
commitSchema.index({ pending: 1, _id: 1 }, { partialFilterExpression: { pending: true } });

export const createCommitModel = (connection: Connection) =>
  createModel<CommitDocument>(connection, 'Commit', commitSchema);
export type CommitModel = Model<CommitDocument>;
