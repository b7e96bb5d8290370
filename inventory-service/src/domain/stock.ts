/** Pieces kept for an order. A random id names each hold, so that a late call can never act on another one. */
export interface Hold {
  id: string;
  orderId: string;
  quantity: number;
  /** A pinned hold stays until it is committed or released. */
  pinned: boolean;
  /** When an unpinned hold goes back to stock; null once it is pinned. */
  expiresAt: Date | null;
}

/**
 * How each type of movement changes [on hand, reserved], per piece. `adjust` has a signed quantity, all others a positive
 * one (`open` may be 0). `release` gives an open hold back, `return` a sold piece.
 */
export const effects = {
  open: [1, 0],
  adjust: [1, 0],
  reserve: [0, 1],
  release: [0, -1],
  expire: [0, -1],
  commit: [-1, -1],
  return: [1, 0],
} as const;

export type MovementType = keyof typeof effects;

/** One line of a product's ledger. */
export interface Movement {
  /** `<type>:<hold id>`, so that the same thing can happen to a hold only once; `open:<product id>`, `adjust:<new id>`. */
  id: string;
  /** 1, 2, 3 … per product, without gap. */
  seq: number;
  type: MovementType;
  quantity: number;
  orderId?: string;
  holdId?: string;
  reason?: string;
  onHandAfter: number;
  reservedAfter: number;
  at: Date;
}

/** The stock of one product, as rules see it. */
export interface Stock {
  onHand: number;
  reserved: number;
  /** Number of the newest movement. */
  seq: number;
  holds: readonly Hold[];
  /** The orders released last, oldest first: a late reservation of theirs is refused. */
  releasedOrders: readonly string[];
}

/** Tombstones kept per product. They are a courtesy: without one a late reservation makes a hold that expires. */
export const maxReleasedOrders = 100;

/** Largest stock of one product. */
export const maxOnHand = 1_000_000_000;

export const availableOf = (stock: Pick<Stock, 'onHand' | 'reserved'>) => stock.onHand - stock.reserved;

/** What a command does: the stock after it, the movements that lead there, and what the caller is told. */
export interface Decision<Outcome> {
  stock: Stock;
  movements: readonly Movement[];
  outcome: Outcome;
}

type Entry = Pick<Movement, 'quantity'> & Partial<Pick<Movement, 'id' | 'orderId' | 'holdId' | 'reason'>>;

/** The movement that follows `stock`. Its id is `<type>:<hold id>` unless one is given. */
export function nextMovement(stock: Stock, type: MovementType, entry: Entry, at: Date): Movement {
  const [onHand, reserved] = effects[type];
  return {
    id: `${type}:${entry.holdId}`,
    ...entry,
    seq: stock.seq + 1,
    type,
    onHandAfter: stock.onHand + onHand * entry.quantity,
    reservedAfter: stock.reserved + reserved * entry.quantity,
    at,
  };
}

/** The stock after a movement. */
export function applyMovement(stock: Stock, movement: Movement): Stock {
  return { ...stock, onHand: movement.onHandAfter, reserved: movement.reservedAfter, seq: movement.seq };
}
