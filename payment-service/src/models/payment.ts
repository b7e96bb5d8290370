import type { Message } from '@tradepost/shared/messaging/message';
import { outboxFields } from '@tradepost/shared/messaging/outbox';
import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';
import type { Payment, ProviderName, RefundEntry } from '../domain/payment.ts';

/** A payment as it is stored; which fields are there depends on the status (see `Payment`). */
export interface PaymentDocument {
  /** The order's id, so that a second payment of an order cannot exist. */
  _id: string;
  paymentId: string;
  status: 'pending' | 'captured' | 'declined' | 'void';
  cancelling: boolean;
  userId?: string;
  amount?: number;
  currency?: string;
  provider?: ProviderName;
  token?: string;
  reason?: string;
  providerId?: string;
  left?: number;
  refunded?: number;
  openRefunds?: number;
  refunds?: RefundEntry[];
  /** When the sweeper looks next; there only while the provider owes an answer. */
  dueAt?: Date;
  openSince?: Date;
  attempts: number;
  lastError?: string;
  /** Grows whenever somebody acts on what somebody else wrote. */
  seen: number;
  createdAt: Date;
  updatedAt: Date;
  outbox: Message[];
}

const refund = createSchema<RefundEntry>(
  {
    id: { type: String, required: true },
    amount: { type: Number, required: true },
    state: { type: String, enum: ['pending', 'done'], required: true },
    reason: String,
    at: { type: Date, required: true },
    doneAt: Date,
  } as never,
  { _id: false },
);

const paymentSchema = createSchema<PaymentDocument>(
  {
    _id: { type: String, required: true },
    paymentId: { type: String, required: true },
    status: { type: String, enum: ['pending', 'captured', 'declined', 'void'], required: true },
    cancelling: { type: Boolean, required: true },
    userId: String,
    amount: Number,
    currency: String,
    provider: String,
    token: String,
    reason: String,
    providerId: String,
    left: Number,
    refunded: Number,
    openRefunds: Number,
    refunds: { type: [refund], default: undefined },
    dueAt: Date,
    openSince: Date,
    attempts: { type: Number, required: true },
    lastError: String,
    seen: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
    ...outboxFields,
  } as never,
  { ...schemaOptions, collection: 'payments' },
);
paymentSchema.index({ paymentId: 1 });
// Order ids grow with time, so a user's payments come out newest first.
paymentSchema.index({ userId: 1, _id: 1 });
paymentSchema.index({ dueAt: 1 }, { sparse: true });

export const createPaymentModel = (connection: Connection) =>
  createModel<PaymentDocument>(connection, 'Payment', paymentSchema);
export type PaymentModel = Model<PaymentDocument>;

/** One conditional update of one payment. Null when the filter matches none. */
export function changePayment(model: PaymentModel, filter: object, update: object): Promise<Payment | null> {
  return model.findOneAndUpdate(filter, update, { returnDocument: 'after' }).lean<Payment>().exec();
}

/**
 * Reads a payment by a changing, journaled update. What somebody else wrote may be acted on or answered from only after
 * that: a killed database forgets what has merely been read.
 */
export function claimPayment(model: PaymentModel, orderId: string): Promise<Payment | null> {
  return changePayment(model, { _id: orderId }, { $inc: { seen: 1 } });
}

/** The same for a payment that is known to exist. */
export async function currentPayment(model: PaymentModel, orderId: string): Promise<Payment> {
  const payment = await claimPayment(model, orderId);
  if (!payment) throw new Error(`the payment of order ${orderId} is gone`);
  return payment;
}
