import type { Clock } from '@tradepost/shared/clock';
import type { Payment } from '../domain/payment.ts';
import { changePayment, type PaymentModel } from '../models/payment.ts';

/** Which payments wait for the provider, and when it is asked again. */
export function createDueSteps(model: PaymentModel, clock: Clock) {
  const after = (ms: number) => new Date(clock().getTime() + ms);
  return {
    /** Orders whose payments are due, those that have waited longest first. */
    async listDue(limit: number): Promise<string[]> {
      const found = await model
        .find({ dueAt: { $lte: clock() } })
        .sort({ dueAt: 1 })
        .limit(limit)
        .select({ _id: 1 })
        .lean();
      return found.map(({ _id }) => _id);
    },

    /** Takes a payment that is due, and keeps other sweepers off it for `leaseMs`. Null when one of them was faster. */
    takeDue: (orderId: string, leaseMs: number): Promise<Payment | null> =>
      changePayment(
        model,
        { _id: orderId, dueAt: { $lte: clock() } },
        { $set: { dueAt: after(leaseMs) }, $inc: { attempts: 1 } },
      ),

    /** Puts the next question off, unless it was answered meanwhile. */
    async postpone(orderId: string, waitMs: number, error: string): Promise<void> {
      await model.updateOne(
        { _id: orderId, dueAt: { $exists: true } },
        { $set: { dueAt: after(waitMs), lastError: error.slice(0, 500) } },
      );
    },

    /** How many have waited for the provider since `before` or longer. */
    countOpenSince: (before: Date): Promise<number> =>
      model.countDocuments({ dueAt: { $gt: new Date(0) }, openSince: { $lte: before } }).exec(),
  };
}

export type DueSteps = ReturnType<typeof createDueSteps>;
