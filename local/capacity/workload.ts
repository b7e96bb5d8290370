import type { Coefficients } from './coefficients.ts';
import { type Activity, activities, sumOf, type Usage } from './usage.ts';

/** What customers do, and how full everything may be. */
export interface Workload {
  /** At the busiest time. */
  ordersPerSecond: number;
  /** Average over all hours by the busiest one. */
  averageLoad: number;
  linesPerOrder: number;
  /** Reads of lists, products, stock and own orders for each order. */
  readsPerOrder: number;
  /** Part of the reads of the catalogue that a gateway still has. */
  cacheHits: number;
  /** Of passwords, which cost a hash each. */
  signInsPerOrder: number;
  /** Access tokens that are made anew from a refresh token. */
  refreshesPerOrder: number;
  /** Part of all lines that are of the product which sells best. */
  hottestShare: number;
  /** Days for which orders stay in the databases. */
  retentionDays: number;
  /** Part of each processor that is used at the busiest time; the rest is for what comes at once, and for a lost zone. */
  utilisation: number;
  /** How fast a processor of the servers is, by one of the machine that was measured. */
  coreSpeed: number;
}

/**
 * Reads for each order, by what they are, in the shopping mix of TPC-W 1.8 (TPC, 2002, clause 5.1): of 10,000 pages 120 buy
 * (Buy Confirm). Home, New Products, Best Sellers and Search Results are lists here, Shopping Cart looks at the stock; Search
 * Request, Customer Registration, Buy Request and Order Inquiry are forms that need no request.
 */
const pagesPer10000 = {
  list: 1_600 + 500 + 500 + 1_700,
  detail: 1_700,
  stock: 1_160,
  ownOrder: 66,
} as const;
const buysPer10000 = 120;
const readsPer10000 = Object.values(pagesPer10000).reduce((sum, one) => sum + one, 0);

/** Where none is said: reads as in TPC-W, the rest assumed. */
export const usualWorkload: Omit<Workload, 'ordersPerSecond'> = {
  averageLoad: 1 / 3,
  linesPerOrder: 3,
  readsPerOrder: Math.round(readsPer10000 / buysPer10000),
  cacheHits: 0.8,
  signInsPerOrder: 0.3,
  refreshesPerOrder: 1,
  hottestShare: 0.01,
  retentionDays: 365,
  utilisation: 0.6,
  coreSpeed: 1,
};

/** How often each thing is done for one order. */
export function activitiesPerOrder(workload: Workload): Record<Activity, number> {
  const reads = (pages: number) => (workload.readsPerOrder * pages) / readsPer10000;
  const [list, detail] = [reads(pagesPer10000.list), reads(pagesPer10000.detail)];
  return {
    order: 1,
    line: workload.linesPerOrder - 1,
    listFromCache: workload.cacheHits * list,
    list: (1 - workload.cacheHits) * list,
    detailFromCache: workload.cacheHits * detail,
    detail: (1 - workload.cacheHits) * detail,
    stock: reads(pagesPer10000.stock),
    ownOrder: reads(pagesPer10000.ownOrder),
    signIn: workload.signInsPerOrder,
    refresh: workload.refreshesPerOrder,
  };
}

/** What one order uses with all that belongs to it; processor time as the servers' processors take it. */
export function usagePerOrder(coefficients: Coefficients, workload: Workload): Usage {
  const counts = activitiesPerOrder(workload);
  const usage = sumOf(activities.map(name => ({ usage: coefficients.activities[name], times: counts[name] })));
  return atSpeed(usage, workload.coreSpeed);
}

/** What a second uses in which nothing is done. */
export const idlePerSecond = ({ idle }: Coefficients, { coreSpeed }: Workload): Usage => atSpeed(idle, coreSpeed);

function atSpeed(usage: Usage, coreSpeed: number): Usage {
  const cpuMs = Object.entries(usage.cpuMs ?? {}).map(([part, ms]) => [part, ms / coreSpeed] as const);
  return { ...usage, cpuMs: Object.fromEntries(cpuMs) };
}
