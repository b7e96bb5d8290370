import type { AuditedPayment } from '@tradepost/shared/contracts/payments';
import { type Order, refunded } from './order.ts';

/** The names of what an audit checks, as its table shows them. */
export const auditChecks = {
  versions: 'streams have versions 1, 2, 3 … without a gap',
  view: 'the view of each order equals the fold of its stream',
  unfinished: 'nothing older than it may be is unfinished',
  money: 'money captured and not returned = orders confirmed',
  provider: "the provider's ledger equals ours",
  sold: 'stock sold = orders confirmed',
  holds: 'holds = open reservations',
  ledger: 'stock = sum of its movements',
} as const;

export type AuditCheck = keyof typeof auditChecks;

/** Something that is off: which check, what thing, and what is wrong with it. */
export interface AuditFinding {
  check: AuditCheck;
  id: string;
  detail: string;
}

/** Pieces of a product that an order holds, those of them pinned, and pieces sold to it and not returned. */
export interface StockOfOrder {
  productId: string;
  held: number;
  pinned: number;
  sold: number;
}

/** What an order's lines ask for, by product; a product stands on one line. */
const quantities = (order: Order): Map<string, number> =>
  new Map(order.lines.map(line => [line.productId, line.quantity]));

const isBought = (order: Order): boolean => order.status !== 'cancelled' && order.status !== 'pending';

/** Notes a finding wherever a number is not what it must be. */
function expectations(orderId: string, order: Order) {
  const findings: AuditFinding[] = [];
  const expect = (check: AuditCheck, what: string, actual: number, expected: number): void => {
    if (actual !== expected)
      findings.push({ check, id: orderId, detail: `${order.status}: ${what} is ${actual}, not ${expected}` });
  };
  return { findings, expect };
}

/**
 * What holds for a confirmed order from its confirmation on, also while it is still worked on: it is paid, and each piece is
 * kept for it or sold to it.
 */
export function compareConfirmed(
  orderId: string,
  order: Order,
  payment: AuditedPayment | undefined,
  stock: readonly StockOfOrder[],
): AuditFinding[] {
  if (!isBought(order)) return [];
  const { findings, expect } = expectations(orderId, order);
  expect('money', 'captured', payment?.ours.captured ?? 0, order.total);
  for (const [productId, quantity] of quantities(order)) {
    const has = stock.find(one => one.productId === productId);
    expect('holds', `kept or sold of ${productId}`, (has?.pinned ?? 0) + (has?.sold ?? 0), quantity);
  }
  return findings;
}

/**
 * Compares a finished order with what payment and inventory have of it. An unpinned hold of a finished order is nothing
 * wrong: a late call may have made it, and it expires.
 */
export function compareFinished(
  orderId: string,
  order: Order,
  payment: AuditedPayment | undefined,
  stock: readonly StockOfOrder[],
): AuditFinding[] {
  const { findings, expect } = expectations(orderId, order);
  const bought = isBought(order);
  const ours = payment?.ours ?? { captured: 0, refunded: 0 };
  if (bought) {
    expect('money', 'captured', ours.captured, order.total);
    expect('money', 'recorded as captured', order.payment.captured, order.total);
  } else {
    expect('money', 'captured and not returned', ours.captured - ours.refunded, 0);
  }
  expect('money', 'recorded as refunded', refunded(order), ours.refunded);
  const wanted = bought ? quantities(order) : new Map<string, number>();
  for (const productId of new Set([...wanted.keys(), ...stock.map(one => one.productId)])) {
    const has = stock.find(one => one.productId === productId);
    expect('sold', `sold of ${productId}`, has?.sold ?? 0, wanted.get(productId) ?? 0);
    expect('holds', `pinned of ${productId}`, has?.pinned ?? 0, 0);
  }
  return findings;
}
