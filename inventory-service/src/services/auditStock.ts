import type { Failpoint } from '../config.ts';
import { auditStock, type Discrepancy, partsOf, sumsOf } from '../domain/audit.ts';
import type { Hold, MovementType } from '../domain/stock.ts';
import { entryOf, type LedgerEntry, type LedgerModel } from '../models/ledger.ts';
import type { StockDocument, StockModel } from '../models/stock.ts';

export interface AuditedProduct {
  productId: string;
  onHand: number;
  reserved: number;
  seq: number;
  holds: readonly Hold[];
  discrepancies: Discrepancy[];
}

/** What an order has of a product: pieces held, those of them pinned, and pieces sold and not returned. */
export interface OrderStock {
  orderId: string;
  productId: string;
  held: number;
  pinned: number;
  sold: number;
}

export interface StockAudit {
  /**
   * Checks products in the order of their ids, those after `after`; safe while the shop runs.
   * @returns at most `limit`, and fewer, but one, when it takes long; `next` is what the next page comes after
   */
  products(page: { after: string | undefined; limit: number }): Promise<{ items: AuditedProduct[]; next?: string }>;
  /** What the orders have of the products, a row per pair that has something. */
  orders(orders: readonly { orderId: string; productIds: readonly string[] }[]): Promise<OrderStock[]>;
}

interface Part {
  _id: MovementType;
  count: number;
  seqSum: number;
  quantity: number;
}

export interface StockAuditOptions {
  stocks: StockModel;
  ledger: LedgerModel;
  failpoint: Failpoint;
  /** How long a page may go on with a further product, in milliseconds. */
  pageMs?: number;
  /** Movements that the database adds up by one command: the longest ledger takes none longer than others. */
  atOnce?: number;
}

/** Everywhere the document is read before the ledger: what left the one meanwhile is found in the other. */
export function createStockAudit(options: StockAuditOptions): StockAudit {
  const { stocks, ledger, failpoint, pageMs = 2_000, atOnce = 50_000 } = options;

  async function audit(document: StockDocument): Promise<AuditedProduct> {
    const { _id: productId, onHand, reserved, seq, holds, movements } = document;
    await failpoint('inventory.audit.beforeLedger');
    const parts = partsOf(movements);
    const elsewhere = movements.map(({ id }) => id);
    for (let from = 0; from === 0 || from < seq; from += atOnce) {
      const numbers = { ...(from > 0 && { $gt: from }), $lte: Math.min(seq, from + atOnce) };
      const sums = await ledger.aggregate<Part>([
        { $match: { productId, seq: numbers, _id: { $nin: elsewhere } } },
        { $group: { _id: '$type', count: { $sum: 1 }, seqSum: { $sum: '$seq' }, quantity: { $sum: '$quantity' } } },
      ]);
      parts.push(...sums.map(({ _id: type, ...part }) => ({ type, ...part })));
    }
    const sums = sumsOf(parts);
    return { productId, onHand, reserved, seq, holds, discrepancies: auditStock(document, sums) };
  }

  return {
    async products({ after, limit }) {
      const page = await stocks
        .find(after === undefined ? {} : { _id: { $gt: after } }, { outbox: 0 })
        .sort({ _id: 1 })
        .limit(limit + 1)
        .lean<StockDocument[]>();
      // One after the other: a large ledger takes a while to add up, and the shop goes on meanwhile.
      const items: AuditedProduct[] = [];
      const began = performance.now();
      for (const document of page.slice(0, limit)) {
        items.push(await audit(document));
        if (performance.now() - began > pageMs) break;
      }
      const last = items.at(-1);
      return { items, ...(last && items.length < page.length && { next: last.productId }) };
    },

    async orders(orders) {
      const wanted = new Set(orders.flatMap(({ orderId, productIds }) => productIds.map(id => `${orderId} ${id}`)));
      const rows = new Map<string, OrderStock>();
      const row = (orderId: string, productId: string): OrderStock => {
        const key = `${orderId} ${productId}`;
        const there = rows.get(key) ?? { orderId, productId, held: 0, pinned: 0, sold: 0 };
        rows.set(key, there);
        return there;
      };
      const productIds = [...new Set(orders.flatMap(order => order.productIds))];
      const documents = await stocks
        .find({ _id: { $in: productIds } }, { holds: 1, movements: 1 })
        .lean<StockDocument[]>();
      const orderIds = orders.map(({ orderId }) => orderId);
      const entries = await ledger.find({ orderId: { $in: orderIds }, productId: { $in: productIds } }).lean();
      const settled = new Map(entries.map(entry => [entry._id, entry as LedgerEntry]));
      for (const { _id: productId, holds, movements } of documents) {
        for (const movement of movements) settled.set(movement.id, entryOf(productId, movement));
        for (const { orderId, quantity, pinned } of holds) {
          row(orderId, productId).held += quantity;
          if (pinned) row(orderId, productId).pinned += quantity;
        }
      }
      for (const { type, orderId, productId, quantity } of settled.values()) {
        if (orderId && type === 'commit') row(orderId, productId).sold += quantity;
        if (orderId && type === 'return') row(orderId, productId).sold -= quantity;
      }
      return [...rows.values()].filter(
        ({ orderId, productId, held, sold }) => wanted.has(`${orderId} ${productId}`) && (held > 0 || sold !== 0),
      );
    },
  };
}
