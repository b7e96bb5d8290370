import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import { shown } from '@tradepost/shared/mongo';
import { z } from 'zod';
import type { Payment, VoidPayment } from '../domain/payment.ts';
import type { PaymentModel } from '../models/payment.ts';

/** A payment that clients may see. */
export type VisiblePayment = Exclude<Payment, VoidPayment>;

export interface PaymentPage {
  items: VisiblePayment[];
  nextCursor: string | null;
}

interface Paging {
  limit: number;
  cursor?: string | undefined;
}

const visible = { status: { $ne: 'void' } } as const;

function pageOf(
  rows: VisiblePayment[],
  limit: number,
  sort: string,
  key: (row: VisiblePayment) => (string | number)[],
) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(sort, key(last)) : null };
}

export function createReadPayments(model: PaymentModel) {
  return {
    byId: (paymentId: string): Promise<VisiblePayment | null> =>
      model
        .findOne({ paymentId, ...visible })
        .readConcern(shown)
        .lean<VisiblePayment>()
        .exec(),

    /**
     * Payments, those of the newest orders first.
     * @param filter `userId` for one user's, `orderId` for that order's
     */
    async list(
      filter: { userId?: string; orderId?: string | undefined },
      { limit, cursor }: Paging,
    ): Promise<PaymentPage> {
      const [after] = decodeCursor(cursor, 'newest', z.tuple([z.string()])) ?? [];
      const { userId, orderId } = filter;
      const ids = {
        ...(orderId === undefined ? {} : { $eq: orderId }),
        ...(after === undefined ? {} : { $lt: after }),
      };
      const rows = await model
        .find({ ...visible, ...(userId ? { userId } : {}), ...(Object.keys(ids).length > 0 ? { _id: ids } : {}) })
        .readConcern(shown)
        .sort({ _id: -1 })
        .limit(limit + 1)
        .lean<VisiblePayment[]>();
      return pageOf(rows, limit, 'newest', row => [row._id]);
    },

    /** Payments for which the provider has owed an answer since `before` or longer, the oldest first. */
    async openSince(before: Date, { limit, cursor }: Paging): Promise<PaymentPage> {
      const [since, id] = decodeCursor(cursor, 'oldest', z.tuple([z.number(), z.string()])) ?? [];
      const at = since === undefined ? undefined : new Date(since);
      const rows = await model
        .find({
          dueAt: { $gt: new Date(0) },
          openSince: { $lte: before },
          ...(at ? { $or: [{ openSince: { $gt: at } }, { openSince: at, _id: { $gt: id } }] } : {}),
        })
        .sort({ openSince: 1, _id: 1 })
        .limit(limit + 1)
        .lean<VisiblePayment[]>();
      return pageOf(rows, limit, 'oldest', row => [row.openSince?.getTime() ?? 0, row._id]);
    },
  };
}

export type ReadPayments = ReturnType<typeof createReadPayments>;
