/** What an order has of a product, in the plain model that the service is compared with. */
interface ModelHold {
  id: string;
  quantity: number;
  pinned: boolean;
  expiresAt: number;
}

interface ModelStock {
  onHand: number;
  holds: Map<string, ModelHold>;
  /** Pieces sold and not returned, by hold id. */
  sold: Map<string, { orderId: string; quantity: number }>;
  everSold: Set<string>;
  released: Set<string>;
}

export interface Line {
  productId: string;
  quantity: number;
}

export type Named = { productId: string; holdId: string }[];

/** What a call is told, in one word, with the shortages of a refused reservation. */
export type ModelAnswer = { answer: string; shortages?: { productId: string; requested: number; available: number }[] };

/** The stock of a few products as maps in memory: the rules once more, without documents, ledgers or concurrency. */
export function createStockModel(opening: Record<string, number>, holdTtlMs: number) {
  let now = 0;
  const stocks = new Map<string, ModelStock>(
    Object.entries(opening).map(([productId, onHand]) => [
      productId,
      { onHand, holds: new Map(), sold: new Map(), everSold: new Set(), released: new Set() },
    ]),
  );
  const of = (productId: string) => stocks.get(productId) as ModelStock;
  const reserved = (stock: ModelStock) => [...stock.holds.values()].reduce((sum, hold) => sum + hold.quantity, 0);
  const available = (productId: string) => of(productId).onHand - reserved(of(productId));
  const holdOf = (orderId: string, { productId, holdId }: Named[number]) => {
    const hold = of(productId).holds.get(orderId);
    return hold?.id === holdId ? hold : undefined;
  };

  return {
    level: (productId: string) => ({ onHand: of(productId).onHand, reserved: reserved(of(productId)) }),
    pass(ms: number) {
      now += ms;
    },

    /** @param idOf the ids that the service gave the holds of this order, known only afterwards */
    reserve(orderId: string, lines: readonly Line[], idOf: (productId: string) => string | undefined): ModelAnswer {
      const sorted = [...lines].sort((a, b) => (a.productId < b.productId ? -1 : 1));
      const lacking = ({ productId, quantity }: Line) =>
        !of(productId).holds.has(orderId) && available(productId) < quantity;
      const stop = sorted.find(line => of(line.productId).released.has(orderId) || lacking(line));
      if (stop && of(stop.productId).released.has(orderId)) return { answer: 'hold_gone' };
      if (stop) {
        const shortages = sorted.filter(lacking).map(({ productId, quantity }) => {
          return { productId, requested: quantity, available: available(productId) };
        });
        return { answer: 'insufficient_stock', shortages };
      }
      const made = sorted.filter(({ productId }) => !of(productId).holds.has(orderId));
      for (const { productId, quantity } of made) {
        const hold = { id: idOf(productId) ?? '', quantity, pinned: false, expiresAt: now + holdTtlMs };
        of(productId).holds.set(orderId, hold);
      }
      return { answer: made.length > 0 ? 'made' : 'again' };
    },

    pin(orderId: string, named: Named): ModelAnswer {
      const holds = named.map(one => holdOf(orderId, one));
      for (const hold of holds) if (hold) hold.pinned = true;
      return { answer: holds.includes(undefined) ? 'hold_gone' : 'done' };
    },

    commit(orderId: string, named: Named): ModelAnswer {
      let gone = false;
      for (const one of named) {
        const stock = of(one.productId);
        const hold = holdOf(orderId, one);
        if (hold?.pinned) {
          stock.holds.delete(orderId);
          stock.onHand -= hold.quantity;
          stock.sold.set(hold.id, { orderId, quantity: hold.quantity });
          stock.everSold.add(hold.id);
        } else if (!stock.everSold.has(one.holdId)) gone = true;
      }
      return { answer: gone ? 'hold_gone' : 'done' };
    },

    release(orderId: string, productIds: readonly string[]): ModelAnswer {
      for (const productId of productIds) {
        const stock = of(productId);
        stock.holds.delete(orderId);
        stock.released.add(orderId);
        for (const [holdId, sale] of stock.sold) {
          if (sale.orderId !== orderId) continue;
          stock.sold.delete(holdId);
          stock.onHand += sale.quantity;
        }
      }
      return { answer: 'done' };
    },

    adjust(productId: string, wanted: (onHand: number) => number): ModelAnswer {
      const stock = of(productId);
      const onHand = wanted(stock.onHand);
      if (onHand < reserved(stock)) return { answer: 'below_reserved' };
      stock.onHand = onHand;
      return { answer: 'done' };
    },

    sweep() {
      for (const stock of stocks.values()) {
        for (const [orderId, hold] of stock.holds) {
          if (!hold.pinned && hold.expiresAt <= now) stock.holds.delete(orderId);
        }
      }
    },
  };
}

export type StockModelInMemory = ReturnType<typeof createStockModel>;
