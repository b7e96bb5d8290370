import { type CapturedPayment, type RefundEntry, refundOf } from '../domain/payment.ts';
import { refundedMessage } from '../events/publishers.ts';
import { changePayment, currentPayment, type PaymentModel } from '../models/payment.ts';
import { openFields, type Step, type StepTools } from './paymentSteps.ts';

/** A refund's own id, and why it is given. */
export type NewRefund = Pick<RefundEntry, 'id' | 'reason'>;

/** The steps of a refund, made like those of a charge. An entry is decided first, then the provider is asked for it. */
export function createRefundSteps(model: PaymentModel, { clock, newId, graceMs }: StepTools) {
  async function push(
    left: object,
    orderId: string,
    refund: NewRefund & { amount: number },
    also: object = {},
  ): Promise<CapturedPayment | null> {
    const at = clock();
    const { id, amount } = refund;
    const entry: RefundEntry = { ...refund, state: 'pending', at };
    const pushed = await changePayment(
      model,
      { _id: orderId, status: 'captured', left, 'refunds.id': { $ne: id } },
      {
        $push: { refunds: entry },
        $inc: { left: -amount, openRefunds: 1 },
        $set: { dueAt: new Date(at.getTime() + graceMs), updatedAt: at, ...also },
        $min: { openSince: at },
      },
    );
    return pushed as CapturedPayment | null;
  }

  return {
    /** Decides a refund, if so much is left and the id is new. Null when not. */
    pushRefund: (orderId: string, refund: NewRefund & { amount: number }) =>
      push({ $gte: refund.amount }, orderId, refund),

    /** Decides a refund of all that is left. Null when the id is there or what is left is not what was read. */
    pushRest: ({ _id, left }: CapturedPayment, refund: NewRefund) =>
      push({ $eq: left }, _id, { ...refund, amount: left }),

    /** The same, and from now on nothing may be charged. */
    pushCancel: ({ _id, left }: CapturedPayment, id: string) =>
      push({ $eq: left }, _id, { id, amount: left }, { cancelling: true }),

    /** A refund's entry: pending → done. */
    async finishRefund(read: CapturedPayment, id: string): Promise<Step<CapturedPayment>> {
      for (let payment = read; ; payment = (await currentPayment(model, read._id)) as CapturedPayment) {
        const refund = refundOf(payment, id);
        if (!refund) throw new Error(`payment ${read.paymentId} has no refund ${id}`);
        if (refund.state === 'done') return { payment, changed: false };
        const { _id, refunded: before, openRefunds } = payment;
        const at = clock();
        const refunded = before + refund.amount;
        // Both counters as they were read: so the message's total is right, and what closes here is the last that was open.
        const done = await changePayment(
          model,
          { _id, refunds: { $elemMatch: { id, state: 'pending' } }, refunded: before, openRefunds },
          {
            $set: { 'refunds.$.state': 'done', 'refunds.$.doneAt': at, refunded, attempts: 0, updatedAt: at },
            $inc: { openRefunds: -1 },
            $push: { outbox: refundedMessage(payment, refund, refunded, { id: newId(), at }) },
            ...(openRefunds === 1 ? { $unset: openFields } : {}),
          },
        );
        if (done) return { payment: done as CapturedPayment, changed: true };
      }
    },
  };
}

export type RefundSteps = ReturnType<typeof createRefundSteps>;
