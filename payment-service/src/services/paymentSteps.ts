import type { Clock } from '@tradepost/shared/clock';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import {
  cancelRefundId,
  type Payment,
  type PendingPayment,
  type ProviderName,
  type RefundEntry,
} from '../domain/payment.ts';
import { capturedMessage, declinedMessage } from '../events/publishers.ts';
import { changePayment, claimPayment, currentPayment, type PaymentModel } from '../models/payment.ts';

export interface NewCharge {
  orderId: string;
  userId: string;
  amount: number;
  currency: string;
  token: string;
  provider: ProviderName;
}

/** A payment after a step, and whether this step changed it or found it changed. */
export interface Step<P = Payment> {
  payment: P;
  changed: boolean;
}

export interface StepTools {
  clock: Clock;
  newId: () => string;
  /** How long a step's own worker has, in milliseconds, before the sweeper looks. */
  graceMs: number;
}

/** Fields that are there while the provider owes an answer. */
export const openFields = { dueAt: 1, openSince: 1, lastError: 1 } as const;

/**
 * The steps of a charge. Each is one conditional update of the one document of the order, acknowledged from the journal;
 * a message goes into its outbox by the same update. None of them asks the provider.
 */
export function createPaymentSteps(model: PaymentModel, { clock, newId, graceMs }: StepTools) {
  async function insert(document: object): Promise<Payment | undefined> {
    const at = clock();
    const base = {
      paymentId: newId(),
      cancelling: false,
      attempts: 0,
      seen: 0,
      createdAt: at,
      updatedAt: at,
      outbox: [],
    };
    const payment = { ...base, ...document };
    try {
      // The raw collection: the document is made here alone, and casting it costs more than the insert.
      await model.collection.insertOne(payment as never);
      return payment as never;
    } catch (error) {
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  }

  async function found(payment: Payment | null, orderId: string): Promise<Step> {
    if (payment) return { payment, changed: true };
    return { payment: await currentPayment(model, orderId), changed: false };
  }

  return {
    claim: (orderId: string) => claimPayment(model, orderId),

    /** none → pending. Undefined when the order has a payment already. */
    async insertPending({ orderId, ...charge }: NewCharge): Promise<PendingPayment | undefined> {
      const now = clock();
      const dueAt = new Date(now.getTime() + graceMs);
      const pending = { _id: orderId, ...charge, status: 'pending', dueAt, openSince: now };
      return (await insert(pending)) as PendingPayment | undefined;
    },

    /** none → void. Undefined when the order has a payment already. */
    insertVoid: (orderId: string) => insert({ _id: orderId, status: 'void', cancelling: true }),

    /** From now on nothing may be charged. Null when the payment has changed since it was read. */
    markCancelling: (payment: Payment) =>
      changePayment(
        model,
        { _id: payment._id, status: payment.status, ...(payment.status === 'captured' ? { left: payment.left } : {}) },
        { $set: { cancelling: true, updatedAt: clock() }, $inc: { seen: 1 } },
      ),

    /** pending → captured; if the order was cancelled meanwhile, the refund of all of it is decided by the same update. */
    async recordCaptured(payment: PendingPayment, providerId: string): Promise<Step> {
      const { _id, amount } = payment;
      const at = clock();
      const captured = { status: 'captured', providerId, refunded: 0, attempts: 0, updatedAt: at };
      const $push = { outbox: capturedMessage(payment, { id: newId(), at }) };
      const $unset = { ...openFields, token: 1 };
      const kept = await changePayment(
        model,
        { _id, status: 'pending', cancelling: false },
        { $set: { ...captured, left: amount, openRefunds: 0, refunds: [] }, $unset, $push },
      );
      if (kept) return { payment: kept, changed: true };
      const back: RefundEntry = { id: cancelRefundId(_id), amount, state: 'pending', at };
      const open = { left: 0, openRefunds: 1, refunds: [back], dueAt: new Date(at.getTime() + graceMs), openSince: at };
      const turned = await changePayment(
        model,
        { _id, status: 'pending', cancelling: true },
        amount > 0
          ? { $set: { ...captured, ...open }, $unset: { token: 1, lastError: 1 }, $push }
          : { $set: { ...captured, left: 0, openRefunds: 0, refunds: [] }, $unset, $push },
      );
      return found(turned, _id);
    },

    /** pending → declined. */
    async recordDeclined(payment: PendingPayment, reason: string): Promise<Step> {
      const at = clock();
      const declined = await changePayment(
        model,
        { _id: payment._id, status: 'pending' },
        {
          $set: { status: 'declined', reason, attempts: 0, updatedAt: at },
          $unset: { ...openFields, token: 1 },
          $push: { outbox: declinedMessage(payment, reason, { id: newId(), at }) },
        },
      );
      return found(declined, payment._id);
    },
  };
}

export type PaymentSteps = ReturnType<typeof createPaymentSteps>;
