import type { Clock } from '@tradepost/shared/clock';
import type { Payment } from '../domain/payment.ts';
import type { PaymentModel } from '../models/payment.ts';

/** Which payments wait for the provider, and when it is asked again. */
export function createDueSteps(model: PaymentModel, clock: Clock) {
  const after = (ms: number) => new Date(clock().getTime() + ms);
  return {
    /** Takes the payment that is due for longest, and keeps other sweepers off it for `leaseMs`. Null when none is due. */
    takeDue: (leaseMs: number): Promise<Payment | null> =>
      model
        .findOneAndUpdate(
          { dueAt: { $lte: clock() } },
          { $set: { dueAt: after(leaseMs) }, $inc: { attempts: 1 } },
          { returnDocument: 'after', sort: { dueAt: 1 } },
        )
        .lean<Payment>()
        .exec(),

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
