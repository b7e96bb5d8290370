import type { AuditedPayment } from '@tradepost/shared/contracts/payments';
import type { Payment } from '../domain/payment.ts';
import type { LedgerEntry } from '../providers/provider.ts';
import type { PaymentTools } from './paymentTools.ts';

interface Page {
  items: AuditedPayment[];
  /** What the next page comes after; null at the end. */
  next: string | null;
}

/** Rounds of reading both sides before a difference counts: between the two reads a payment may have moved on. */
const rounds = 3;

/** Questions to the provider at a time. */
const atOnce = 10;

/** Holds our payments and the provider's own books against each other. */
export function createPaymentAudit(tools: PaymentTools) {
  const read = (orderId: string) => tools.model.findById(orderId).lean<Payment>().exec();

  async function compare(payment: Payment | null, theirs: LedgerEntry | undefined, orderId: string) {
    let [ours, books] = [payment, theirs];
    for (let round = 1; ; round += 1) {
      const row = rowOf(orderId, ours, books);
      if (row.agrees || row.openSince !== null || round === rounds) return row;
      books = await tools.ask.find(orderId, ours?.status === 'captured' ? ours.providerId : undefined);
      ours = await read(orderId);
    }
  }

  async function compareAll(payments: readonly Payment[]): Promise<AuditedPayment[]> {
    const rows: AuditedPayment[] = [];
    for (let start = 0; start < payments.length; start += atOnce) {
      const compared = payments.slice(start, start + atOnce).map(async payment => {
        const providerId = payment.status === 'captured' ? payment.providerId : undefined;
        return compare(payment, await tools.ask.find(payment._id, providerId), payment._id);
      });
      rows.push(...(await Promise.all(compared)));
    }
    return rows;
  }

  return {
    /** The payments of some orders; those without one are left out. */
    async ofOrders(orderIds: readonly string[]): Promise<AuditedPayment[]> {
      return compareAll(await tools.model.find({ _id: { $in: orderIds } }).lean<Payment[]>());
    },

    /** Our payments in the order of their orders' ids, each with what the provider says of it. */
    async payments({ limit, after }: { limit: number; after?: string | undefined }): Promise<Page> {
      const found = await tools.model
        .find({ ...(after === undefined ? {} : { _id: { $gt: after } }) })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<Payment[]>();
      return { items: await compareAll(found), next: found.length === limit ? (found.at(-1)?._id ?? null) : null };
    },

    /** The provider's books in its own order, each entry with what we say of it: finds charges that we do not know of. */
    async provider({ limit, after }: { limit: number; after?: string | undefined }): Promise<Page> {
      const { items, next } = await tools.ask.ledger({ limit, ...(after === undefined ? {} : { after }) });
      const found = await tools.model.find({ _id: { $in: items.map(entry => entry.orderId) } }).lean<Payment[]>();
      const byOrder = new Map(found.map(payment => [payment._id, payment]));
      const compared = items.map(entry => compare(byOrder.get(entry.orderId) ?? null, entry, entry.orderId));
      return { items: await Promise.all(compared), next };
    },
  };
}

export type PaymentAudit = ReturnType<typeof createPaymentAudit>;

function rowOf(orderId: string, payment: Payment | null, entry: LedgerEntry | undefined): AuditedPayment {
  const ours = oursOf(payment);
  const theirs = {
    captured: entry?.outcome?.status === 'captured' ? entry.outcome.amount : 0,
    refunded: entry?.refunded ?? 0,
  };
  return {
    orderId,
    paymentId: payment?.paymentId ?? null,
    status: payment?.status ?? 'none',
    currency: payment && payment.status !== 'void' ? payment.currency : null,
    ours,
    provider: theirs,
    agrees: ours.captured === theirs.captured && ours.refunded === theirs.refunded,
    openSince: payment?.openSince?.toISOString() ?? null,
  };
}

function oursOf(payment: Payment | null): { captured: number; refunded: number } {
  if (payment?.status !== 'captured') return { captured: 0, refunded: 0 };
  return { captured: payment.amount, refunded: payment.refunded };
}
