import type { Clock } from '@tradepost/shared/clock';
import type { ReserveAnswer, ReserveRequest, Shortages } from '@tradepost/shared/contracts/inventory';
import { AppError, isAppError } from '@tradepost/shared/errors';
import type { NewId } from '@tradepost/shared/ids';
import { giveBack, type ReserveOutcome, reserve } from '../domain/commands.ts';
import { availableOf } from '../domain/stock.ts';
import type { StockDocument, StockModel } from '../models/stock.ts';
import { applyToEach } from './applyToEach.ts';
import { inParallel } from './inParallel.ts';
import type { InventoryMetrics } from './metrics.ts';
import type { StockWriter } from './stockWriter.ts';

export interface ReserveStockOptions {
  stocks: StockModel;
  writer: StockWriter;
  clock: Clock;
  newId: NewId;
  holdTtlMs: number;
  metrics: InventoryMetrics;
}

export interface Reservation extends ReserveAnswer {
  /** Whether this call made at least one of the holds. */
  made: boolean;
}

type Line = ReserveRequest['items'][number];

/** A product that is not known here has nothing to sell. */
const noStock: ReserveOutcome = { kind: 'short', available: 0 };

/** Lines whose stock is read together. */
const chunkSize = 50;
/** Of what is there so many times over, no orders that arrive at once take each other's last pieces: a gateway lets no more in. */
const plenty = 1_000;

/**
 * Holds all products of an order or none. Repeatable by order: what it holds already stays and is answered again.
 * @throws AppError `insufficient_stock` with every shortage, after what this call had held is given back; `hold_gone`
 * when the order was released: it must be read again
 */
export function createReserveStock(options: ReserveStockOptions): (request: ReserveRequest) => Promise<Reservation> {
  const { stocks, writer, clock, newId, holdTtlMs, metrics } = options;

  /** Shortages among the lines, as far as one can see without holding anything. */
  async function shortagesOf(lines: readonly Line[], orderId: string): Promise<Shortages> {
    if (lines.length === 0) return [];
    const ids = lines.map(({ productId }) => productId);
    const found = await stocks
      .find({ _id: { $in: ids } })
      .select({ onHand: 1, reserved: 1, holds: { $elemMatch: { orderId } } })
      .lean<(Pick<StockDocument, '_id' | 'onHand' | 'reserved'> & Partial<StockDocument>)[]>();
    const byId = new Map(found.map(stock => [stock._id, stock]));
    return lines.flatMap(({ productId, quantity }) => {
      const stock = byId.get(productId);
      if (stock?.holds?.length) return [];
      const available = stock ? availableOf(stock) : 0;
      return available < quantity ? [{ productId, requested: quantity, available }] : [];
    });
  }

  return async ({ orderId, items }) => {
    const lines = mergeLines(items);
    const holds: ReserveAnswer['holds'] = [];
    const made: { productId: string; holdId: string }[] = [];

    async function hold({ productId, quantity }: Line): Promise<void> {
      const expiresAt = new Date(clock().getTime() + holdTtlMs);
      const command = reserve({ orderId, quantity, holdId: newId(), expiresAt });
      const outcome = (await writer.apply(productId, command)) ?? noStock;
      if (outcome.kind === 'released') throw new AppError('hold_gone', { detail: 'The order was released already' });
      if (outcome.kind === 'short') {
        const shortages: Shortages = [{ productId, requested: quantity, available: outcome.available }];
        throw new AppError('insufficient_stock', { members: { shortages } });
      }
      holds.push({ productId, holdId: outcome.holdId, quantity: outcome.quantity });
      if (outcome.kind === 'held') made.push({ productId, holdId: outcome.holdId });
    }

    async function holdAll(): Promise<void> {
      for (let start = 0; start < lines.length; start += chunkSize) {
        const chunk = lines.slice(start, start + chunkSize);
        const known = await writer.load(chunk.map(({ productId }) => productId));
        const isSafe = ({ productId, quantity }: Line): boolean => {
          const stock = known.get(productId);
          if (!stock) return false;
          return availableOf(stock) >= plenty * quantity || stock.holds.some(one => one.orderId === orderId);
        };
        await inParallel(chunk.filter(isSafe), hold);
        // One after the other, in one order for all: of two orders that want the same last pieces one gets them all.
        for (const line of chunk) if (!isSafe(line)) await hold(line);
      }
    }

    try {
      await holdAll();
    } catch (error) {
      const isShort = isAppError(error, 'insufficient_stock');
      if (!isShort && !isAppError(error, 'hold_gone')) throw error;
      await applyToEach(writer, made, ({ holdId }) => giveBack(holdId));
      metrics.reservations.inc({ outcome: isShort ? 'short' : 'released' });
      if (!isShort) throw error;
      const found = error.extras.members?.shortages as Shortages;
      const others = lines.filter(line => found.every(({ productId }) => productId !== line.productId));
      const shortages = [...found, ...(await shortagesOf(others, orderId))];
      throw new AppError('insufficient_stock', { members: { shortages } });
    }
    metrics.reservations.inc({ outcome: made.length > 0 ? 'held' : 'again' });
    return { holds, made: made.length > 0 };
  };
}

/** The lines sorted by product, those of the same product as one. */
export function mergeLines(items: readonly Line[]): Line[] {
  const merged = new Map<string, number>();
  for (const { productId, quantity } of items) merged.set(productId, (merged.get(productId) ?? 0) + quantity);
  return [...merged]
    .map(([productId, quantity]) => ({ productId, quantity }))
    .sort((a, b) => (a.productId < b.productId ? -1 : 1));
}
