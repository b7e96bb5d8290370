import type { PostalAddress } from '@tradepost/shared/address';
import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import { type Connection, type Model, Schema } from 'mongoose';
import type { OrderLine } from '../domain/events.ts';

/**
 * Who works on an order and when; what comes next is read from the order's stream. It is inserted before the first event,
 * so an order is never without somebody who will finish it, and it holds what must not be in events: the address and
 * the payment token. A refused request leaves one too, with its answer, so that its Idempotency-Key stays spent.
 */
export interface SagaDocument {
  /** The order's id. */
  _id: string;
  userId: string;
  status: 'running' | 'done' | 'refused' | 'needs_attention';
  /** Grows with every lease; writes of an older holder match nothing. */
  fence: number;
  /** Grows with every wake-up; `done` is refused when it has grown since the stream was read. */
  wake: number;
  leaseUntil: Date;
  nextRunAt: Date;
  /** Failed runs in a row. */
  attempts: number;
  lastError?: string;
  /** Idempotency-Key of the request, for 24 hours. */
  key?: string;
  fingerprint?: string;
  keyExpiresAt?: Date;
  lines?: OrderLine[];
  currency?: string;
  total?: number;
  /** Kept until the saga is done. */
  token?: string;
  shippingAddress?: PostalAddress;
  /** The answer of a refused request. */
  refusal?: { code: string; detail: string; members: Record<string, unknown> };
  createdAt: Date;
  /** W3C trace context of the request, so that a resumed saga stays in its trace. */
  traceparent?: string;
  seen?: number;
}

const sagaSchema = createSchema<SagaDocument>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    status: { type: String, enum: ['running', 'done', 'refused', 'needs_attention'], required: true },
    fence: { type: Number, required: true },
    wake: { type: Number, required: true },
    leaseUntil: { type: Date, required: true },
    nextRunAt: { type: Date, required: true },
    attempts: { type: Number, required: true },
    lastError: String,
    key: String,
    fingerprint: String,
    keyExpiresAt: Date,
    lines: { type: [Schema.Types.Mixed], default: undefined },
    currency: String,
    total: Number,
    token: String,
    shippingAddress: Schema.Types.Mixed,
    refusal: Schema.Types.Mixed,
    createdAt: { type: Date, required: true },
    traceparent: String,
    seen: Number,
  } as never,
  { ...schemaOptions, collection: 'sagas' },
);
sagaSchema.index({ userId: 1, key: 1 }, { unique: true, partialFilterExpression: { key: { $exists: true } } });
sagaSchema.index({ status: 1, nextRunAt: 1 });
sagaSchema.index({ status: 1, _id: 1 });
sagaSchema.index({ userId: 1 });
sagaSchema.index({ keyExpiresAt: 1 }, { partialFilterExpression: { keyExpiresAt: { $exists: true } } });

export const createSagaModel = (connection: Connection) => createModel<SagaDocument>(connection, 'Saga', sagaSchema);
export type SagaModel = Model<SagaDocument>;
