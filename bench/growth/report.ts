import { processNames } from '@tradepost/local/processes/settings';
import { quantile } from '../checkout.ts';
import { median } from '../measure.ts';
import { lines, type Report, table } from '../report.ts';
import { historyDays } from './branch.ts';
import type { Grown, GrowthOptions } from './growth.ts';
import { readNames } from './reads.ts';
import type { Replayed } from './replay.ts';

/** The goal is set for these two. */
const [small, large] = [10_000, 1_000_000];

export async function reportOf(
  grown: readonly Grown[],
  replayed: Replayed | undefined,
  options: GrowthOptions,
): Promise<Report> {
  const rate = ({ checkouts }: Grown): number => median(checkouts.map(one => one.ordersPerSecond));
  const [first, last] = [grown[0] as Grown, grown.at(-1) as Grown];
  const ratio = rate(last) / rate(first);
  return {
    title: 'Growth',
    text: `${introduction(options)}

${table(['stored orders', 'orders/s', 'p50, ms', 'p99, ms', 'CPU ms per order', 'message after, p50, ms', 'p99, ms'], grown.map(checkoutRow))}

Orders per second at ${count(last.orders)} stored orders / at ${count(first.orders)}: **${ratio.toFixed(2)}**. A message is here the
news of a confirmation, timed from the confirmation to its arrival at a listener, under this load.

![Orders per second](growth.svg)

## Reads

${table(['read', ...grown.flatMap(({ orders }) => [`${count(orders)}: requests/s`, 'p99, ms']), 'largest / smallest'], readRows(grown))}

The single orders and payments are drawn from all that are stored, so that at the largest size hardly any was in the database's cache.

![Reads per second](growth-reads.svg)

## Queues and starts

${table(['stored orders', 'commits published/s', 'messages handled/s', 'order-service ready, ms'], grown.map(queueRow))}

Published are commits that a killed instance of order-service has left behind, handled the confirmations among them by
user-service. The start is that of order-service after it was killed.

## Memory, MiB

${table(['stored orders', ...processNames, 'MongoDB', 'on disk'], grown.map(memoryRow))}
${replayed ? replayText(replayed) : ''}`,
    plots: {
      'growth.svg': await plotOf('Complete orders per second', 'orders/s', [
        ...grown.map(one => ({ series: 'checkout', x: one.orders, value: rate(one) })),
      ]),
      'growth-reads.svg': await plotOf('Reads per second', 'requests/s', [
        ...grown.flatMap(({ orders: x, reads }) =>
          reads.map(({ read, requestsPerSecond: value }) => ({ series: read, x, value })),
        ),
      ]),
    },
    ratios: first.orders === small && last.orders === large ? { million_vs_10k: ratio } : {},
  };
}

const count = (value: number): string => value.toLocaleString('en-GB');

function introduction({ clients, rounds, seconds, seed }: GrowthOptions): string {
  return `Shops of six processes on a MongoDB and a RabbitMQ of their own each, that differ in how many orders they have stored;
they run side by side and are loaded in turn. The orders are copies, under ids and times of their own, of forty that the
shop had taken through its API: every document that those left in any of the databases was copied, over ${historyDays} days and as
many customers as give each ten orders in the mean (seed ${seed}). After the last round the books were clean. ${clients} buyers or
connections; medians of ${rounds} rounds of ${seconds} s, half as long for reads, after one to warm up. MongoDB has a cache of 256 MiB.`;
}

function checkoutRow({ orders, checkouts, lags }: Grown): string[] {
  const of = (key: 'ordersPerSecond' | 'p50' | 'p99') => median(checkouts.map(sample => sample[key]));
  const cpu = median(checkouts.flatMap(({ cpuMsPerOrder }) => cpuMsPerOrder ?? []));
  return [
    ...[count(orders), of('ordersPerSecond').toFixed(1), of('p50').toFixed(0), of('p99').toFixed(0), cpu.toFixed(1)],
    ...[quantile(lags, 0.5).toFixed(0), quantile(lags, 0.99).toFixed(0)],
  ];
}

function readRows(grown: readonly Grown[]): string[][] {
  return readNames.map(read => {
    const samples = grown.flatMap(({ reads }) => reads.filter(one => one.read === read));
    const ratio = (samples.at(-1)?.requestsPerSecond ?? 0) / (samples[0]?.requestsPerSecond ?? 0);
    const cells = samples.flatMap(({ requestsPerSecond, p99, errors }) => [
      `${requestsPerSecond.toFixed(0)}${errors > 0 ? ` (${errors} errors)` : ''}`,
      String(p99),
    ]);
    return [read, ...cells, ratio.toFixed(2)];
  });
}

const queueRow = ({ orders, drained, starts }: Grown): string[] => [
  ...[
    count(orders),
    drained.commitsPerSecond.toFixed(0),
    drained.handledPerSecond.toFixed(0),
    median(starts).toFixed(0),
  ],
];

const memoryRow = ({ orders, memory, storageMiB }: Grown): string[] => [
  ...[count(orders), ...[...processNames, 'MongoDB'].map(name => memory[name]?.toFixed(0) ?? '')],
  count(Math.round(storageMiB)),
];

const replayText = ({ orders, lines: bought, ordersPerSecond, p50, p99 }: Replayed): string => `
## Replay of invoices

${count(orders)} invoices with ${count(bought)} lines, played at a shop of its own: ${ordersPerSecond.toFixed(1)} orders/s, p50 ${Math.round(p50)} ms, p99 ${Math.round(p99)} ms.
Totals and stock agree with the files.
`;

const plotOf = (title: string, unit: string, values: { series: string; x: number; value: number }[]): Promise<string> =>
  lines({ title, x: { unit: 'stored orders', isLogarithmic: true }, unit, values });
