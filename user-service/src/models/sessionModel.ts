import { type OutboxDocument, outboxFields } from '@tradepost/shared/messaging/outbox';
import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';

/** A sign-in on one device: one document, changed by conditional updates only, so that one refresh of two wins. */
export interface SessionDocument extends OutboxDocument {
  userId: string;
  /** Hash of the part of the refresh token that stays. */
  familyHash: string;
  /** Hash of the only secret that may refresh next. */
  secretHash: string;
  /** Hash of the secret before it. */
  previousHash: string | null;
  /** What made the secret from the one before, kept only where a leeway lets a client repeat its refresh. */
  retryNonce: string | null;
  createdAt: Date;
  /** When the secret was last renewed. */
  refreshedAt: Date;
  /** When the newest refresh token expires; the document goes then (TTL). */
  expiresAt: Date;
  endedAt: Date | null;
  /** The account's `credentials` when it signed in. */
  credentials: number;
  userAgent: string | null;
}

export type SessionModel = Model<SessionDocument>;

const schema = createSchema<SessionDocument>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    familyHash: { type: String, required: true },
    secretHash: { type: String, required: true },
    previousHash: { type: String, default: null },
    retryNonce: { type: String, default: null },
    createdAt: { type: Date, required: true },
    refreshedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    endedAt: { type: Date, default: null },
    credentials: { type: Number, required: true },
    userAgent: { type: String, default: null },
    ...outboxFields,
  },
  { ...schemaOptions, collection: 'sessions', id: false },
)
  .index({ familyHash: 1 }, { unique: true })
  .index({ userId: 1, endedAt: 1, _id: -1 })
  .index({ endedAt: 1 })
  .index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const createSessionModel = (connection: Connection): SessionModel =>
  createModel<SessionDocument>(connection, 'Session', schema);
