import type { ReplayResult } from './replay.ts';

/** The value below which `share` of the sorted values lie (nearest rank). */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

const listed = 10;

/** Whether everything was played and agrees with the files. */
export function agrees(result: ReplayResult): boolean {
  return (
    result.outcomes.every(one => one.orderId !== undefined) &&
    result.wrongTotals.length + result.doubles.length + result.wrongStock.length === 0
  );
}

/** The result in lines for a person. */
export function reportOf(result: ReplayResult): string[] {
  const confirmed = result.outcomes.filter(one => one.orderId !== undefined);
  const placed = confirmed.filter(one => one.createdAt && one.createdAt >= result.startedAt);
  const earlier = confirmed.length - placed.length;
  const times = placed.map(one => one.tookMs).sort((one, other) => one - other);
  const ms = (share: number) => `${Math.round(percentile(times, share))} ms`;
  const right = confirmed.length - result.wrongTotals.length;
  const pence = confirmed.reduce((sum, one) => sum + (one.total ?? 0), 0);
  return [
    `orders    ${confirmed.length} of ${result.orders.played} confirmed` +
      (earlier > 0 ? `, ${earlier} of them by an earlier run` : ''),
    ...(placed.length === 0
      ? []
      : [
          `speed     ${(placed.length / result.seconds).toFixed(1)} orders/s, ${result.seconds.toFixed(1)} s in all` +
            (result.retries > 0 ? `, ${result.retries} requests sent again` : ''),
          `latency   p50 ${ms(0.5)}, p90 ${ms(0.9)}, p99 ${ms(0.99)}`,
        ]),
    `totals    ${right} of ${confirmed.length} agree with the files, ${(pence / 100).toFixed(2)} in all`,
    `stock     ${result.stockChecked - result.wrongStock.length} of ${result.stockChecked} products agree with the files`,
    ...result.wrongTotals.slice(0, listed).map(one => {
      const { line, invoiceNo, expectedTotal } = one.order;
      return `  orders line ${line} (invoice ${invoiceNo}): total ${one.total}, expected ${expectedTotal}`;
    }),
    ...result.doubles.slice(0, listed).map(one => `  orders line ${one.order.line}: order ${one.orderId} came twice`),
    ...result.wrongStock
      .slice(0, listed)
      .map(one => `  ${one.sku}: ${one.found ?? 'unknown'} on hand, expected ${one.expected}`),
  ];
}
