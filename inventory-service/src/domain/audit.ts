import { effects, type Hold, type Movement, type MovementType } from './stock.ts';

/** What a set of movements amounts to; sums of several sets add up. */
export interface LedgerSums {
  count: number;
  /** Sum of the movements' numbers: with the count it tells whether they are 1 … n. */
  seqSum: number;
  onHand: number;
  reserved: number;
}

/** One thing that does not add up. */
export interface Discrepancy {
  code:
    | 'ledger_incomplete'
    | 'on_hand_differs_from_ledger'
    | 'reserved_differs_from_ledger'
    | 'reserved_differs_from_holds'
    | 'two_holds_of_one_order'
    | 'below_zero';
  expected: number;
  actual: number;
}

export function sumsOf(parts: readonly { type: MovementType; count: number; seqSum: number; quantity: number }[]) {
  const sums: LedgerSums = { count: 0, seqSum: 0, onHand: 0, reserved: 0 };
  for (const { type, count, seqSum, quantity } of parts) {
    const [onHand, reserved] = effects[type];
    sums.count += count;
    sums.seqSum += seqSum;
    sums.onHand += onHand * quantity;
    sums.reserved += reserved * quantity;
  }
  return sums;
}

export const partsOf = (movements: readonly Movement[]) =>
  movements.map(({ type, seq, quantity }) => ({ type, count: 1, seqSum: seq, quantity }));

/** Compares a stock with the sums of all its movements and with its holds. Empty when all is well. */
export function auditStock(
  stock: { onHand: number; reserved: number; seq: number; holds: readonly Hold[] },
  ledger: LedgerSums,
): Discrepancy[] {
  const { onHand, reserved, seq, holds } = stock;
  const held = holds.reduce((sum, hold) => sum + hold.quantity, 0);
  const orders = new Set(holds.map(hold => hold.orderId)).size;
  const found: Discrepancy[] = [];
  const compare = (code: Discrepancy['code'], expected: number, actual: number) => {
    if (expected !== actual) found.push({ code, expected, actual });
  };
  if (ledger.count !== seq) compare('ledger_incomplete', seq, ledger.count);
  else compare('ledger_incomplete', (seq * (seq + 1)) / 2, ledger.seqSum);
  compare('on_hand_differs_from_ledger', ledger.onHand, onHand);
  compare('reserved_differs_from_ledger', ledger.reserved, reserved);
  compare('reserved_differs_from_holds', held, reserved);
  compare('two_holds_of_one_order', holds.length, orders);
  compare('below_zero', 0, Math.min(0, onHand, reserved, onHand - reserved));
  return found;
}
