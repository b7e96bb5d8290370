import {
  applyMovement,
  availableOf,
  type Decision,
  type Hold,
  type Movement,
  type MovementType,
  maxReleasedOrders,
  nextMovement,
  type Stock,
} from './stock.ts';

/** What a command may look at beside the stock. */
export interface Known {
  at: Date;
  /** Movements of the orders that the command asked for, and possibly others: those not drained yet and the ledger's. */
  movements: readonly Movement[];
}

/** A rule of the stock: pure, so that it can be decided again when somebody else was faster. */
export interface StockCommand<Outcome> {
  name: 'reserve' | 'giveBack' | 'pin' | 'commit' | 'release' | 'expire' | 'adjust';
  /** The order whose sales and returns must be known to decide, or undefined when the stock tells enough. */
  historyOf?(stock: Stock): string | undefined;
  decide(stock: Stock, known: Known): Decision<Outcome>;
}

const unchanged = <Outcome>(stock: Stock, outcome: Outcome): Decision<Outcome> => ({ stock, movements: [], outcome });

/** Ends holds, each by one movement. */
function endHolds(
  stock: Stock,
  ended: readonly Hold[],
  type: MovementType,
  at: Date,
): Omit<Decision<never>, 'outcome'> {
  const movements: Movement[] = [];
  if (ended.length === 0) return { stock, movements };
  let after: Stock = { ...stock, holds: stock.holds.filter(hold => !ended.includes(hold)) };
  for (const { id: holdId, orderId, quantity } of ended) {
    const movement = nextMovement(after, type, { quantity, orderId, holdId }, at);
    movements.push(movement);
    after = applyMovement(after, movement);
  }
  return { stock: after, movements };
}

export type ReserveOutcome =
  | { kind: 'held' | 'again'; holdId: string; quantity: number }
  | { kind: 'short'; available: number }
  | { kind: 'released' };

/**
 * Holds pieces for an order unless it has a hold already. `holdId` must be new: no id ever comes back.
 * Refused when too few are available or the order was released.
 */
export function reserve(order: {
  orderId: string;
  quantity: number;
  holdId: string;
  expiresAt: Date;
}): StockCommand<ReserveOutcome> {
  const { orderId, quantity, holdId, expiresAt } = order;
  return {
    name: 'reserve',
    decide(stock, { at }) {
      if (stock.releasedOrders.includes(orderId)) return unchanged(stock, { kind: 'released' });
      const there = stock.holds.find(hold => hold.orderId === orderId);
      if (there) return unchanged(stock, { kind: 'again', holdId: there.id, quantity: there.quantity });
      const available = availableOf(stock);
      if (available < quantity) return unchanged(stock, { kind: 'short', available });
      const movement = nextMovement(stock, 'reserve', { quantity, orderId, holdId }, at);
      const holds = [...stock.holds, { id: holdId, orderId, quantity, pinned: false, expiresAt }];
      return {
        stock: { ...applyMovement(stock, movement), holds },
        movements: [movement],
        outcome: { kind: 'held', holdId, quantity },
      };
    },
  };
}

/** Takes one unpinned hold back, for a reservation that is short of another product. */
export function giveBack(holdId: string): StockCommand<void> {
  return {
    name: 'giveBack',
    decide(stock, { at }) {
      const ended = stock.holds.filter(hold => hold.id === holdId && !hold.pinned);
      return { ...endHolds(stock, ended, 'release', at), outcome: undefined };
    },
  };
}

/** Makes the named hold of the order safe from expiry. */
export function pin(orderId: string, holdId: string): StockCommand<'pinned' | 'gone'> {
  return {
    name: 'pin',
    decide(stock) {
      const named = (hold: Hold) => hold.id === holdId && hold.orderId === orderId;
      if (!stock.holds.some(named)) return unchanged(stock, 'gone');
      const holds = stock.holds.map(hold => (named(hold) ? { ...hold, pinned: true, expiresAt: null } : hold));
      return { stock: { ...stock, holds }, movements: [], outcome: 'pinned' };
    },
  };
}

/** Sells the named hold of the order, which must be pinned. Done already is as good. */
export function commit(orderId: string, holdId: string): StockCommand<'sold' | 'again' | 'gone'> {
  const pinnedOne = (stock: Stock) =>
    stock.holds.find(hold => hold.id === holdId && hold.orderId === orderId && hold.pinned);
  return {
    name: 'commit',
    historyOf: stock => (pinnedOne(stock) ? undefined : orderId),
    decide(stock, { at, movements }) {
      const hold = pinnedOne(stock);
      if (hold) return { ...endHolds(stock, [hold], 'commit', at), outcome: 'sold' };
      return unchanged(stock, movements.some(one => one.id === `commit:${holdId}`) ? 'again' : 'gone');
    },
  };
}

/**
 * Gives back every hold of the order, pinned or not, and every piece that was sold to it, each once; both, because a
 * late reservation may have made a hold after the sale.
 */
export function release(orderId: string): StockCommand<void> {
  return {
    name: 'release',
    historyOf: () => orderId,
    decide(stock, { at, movements: history }) {
      const ended = stock.holds.filter(hold => hold.orderId === orderId);
      let { stock: after, movements } = endHolds(stock, ended, 'release', at);
      const returned = new Set(history.filter(one => one.type === 'return').map(one => one.holdId));
      for (const { orderId: buyer, holdId, quantity, type } of history) {
        if (type !== 'commit' || buyer !== orderId || returned.has(holdId)) continue;
        returned.add(holdId);
        const movement = nextMovement(after, 'return', { quantity, orderId, ...(holdId && { holdId }) }, at);
        movements = [...movements, movement];
        after = applyMovement(after, movement);
      }
      const releasedOrders = after.releasedOrders.includes(orderId)
        ? after.releasedOrders
        : [...after.releasedOrders, orderId].slice(-maxReleasedOrders);
      return { stock: { ...after, releasedOrders }, movements, outcome: undefined };
    },
  };
}

/** Ends the unpinned holds whose time is over, and tells how many. */
export function expire(): StockCommand<number> {
  return {
    name: 'expire',
    decide(stock, { at }) {
      const ended = stock.holds.filter(hold => !hold.pinned && hold.expiresAt !== null && hold.expiresAt <= at);
      return { ...endHolds(stock, ended, 'expire', at), outcome: ended.length };
    },
  };
}

export type Adjustment = { onHand: number } | { adjustBy: number; reason: string };

export type AdjustOutcome = { kind: 'adjusted' } | { kind: 'refused'; stock: Stock; wanted: number };

/** Counts the shelf anew or adds and removes pieces; refused when less than what is reserved would be left. */
export function adjust(id: string, adjustment: Adjustment, limit: number): StockCommand<AdjustOutcome> {
  return {
    name: 'adjust',
    decide(stock, { at }) {
      const wanted = 'onHand' in adjustment ? adjustment.onHand : stock.onHand + adjustment.adjustBy;
      if (wanted < stock.reserved || wanted > limit) return unchanged(stock, { kind: 'refused', stock, wanted });
      if (wanted === stock.onHand) return unchanged(stock, { kind: 'adjusted' });
      const entry = {
        id: `adjust:${id}`,
        quantity: wanted - stock.onHand,
        ...('reason' in adjustment && { reason: adjustment.reason }),
      };
      const movement = nextMovement(stock, 'adjust', entry, at);
      return { stock: applyMovement(stock, movement), movements: [movement], outcome: { kind: 'adjusted' } };
    },
  };
}
