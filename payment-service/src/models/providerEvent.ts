import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';

/** A provider's event that was handled. */
export interface ProviderEventDocument {
  /** `<provider>:<event id>`. */
  _id: string;
  type: string;
  at: Date;
}

/** Seconds for which handled events are remembered; Stripe repeats one for at most three days. */
const keptSeconds = 30 * 86_400;

const schema = createSchema<ProviderEventDocument>(
  {
    _id: { type: String, required: true },
    type: { type: String, required: true },
    at: { type: Date, required: true },
  } as never,
  { ...schemaOptions, collection: 'provider_events' },
);
schema.index({ at: 1 }, { expireAfterSeconds: keptSeconds });

export const createProviderEventModel = (connection: Connection) =>
  createModel<ProviderEventDocument>(connection, 'ProviderEvent', schema);
export type ProviderEventModel = Model<ProviderEventDocument>;
