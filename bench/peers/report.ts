import type { CheckoutSample } from '../checkout.ts';
import type { Sample } from '../measure.ts';
import { bars, type Report, table } from '../report.ts';
import type { PeersOptions } from './peers.ts';

export const ours = 'Tradepost';

export interface CheckoutFigures {
  name: string;
  buyers: number;
  /** Medians of the rounds. */
  sample: CheckoutSample;
  /** Orders per second in the best round. */
  best: number;
}

interface ReadFigures {
  name: string;
  sample: Sample;
}

export interface Findings {
  checkouts: readonly CheckoutFigures[];
  lists: readonly ReadFigures[];
  details: readonly ReadFigures[];
  /** What was compared, with versions. */
  setups: readonly string[];
  /** What could not be, and why. */
  missing: readonly string[];
  database: string | undefined;
  readers: number;
}

/** Ratios of medians; of several numbers of buyers the one that is least to our advantage. NaN for a peer that was left out. */
function ratiosOf({ checkouts, lists, details }: Findings): Record<string, number> {
  const against = (peer: string, ratio: (mine: CheckoutSample, theirs: CheckoutSample) => number) =>
    checkouts
      .filter(({ name }) => name === peer)
      .map(({ buyers, sample }) =>
        ratio(checkouts.find(one => one.name === ours && one.buyers === buyers)!.sample, sample),
      );
  const orders = (mine: CheckoutSample, theirs: CheckoutSample) => mine.ordersPerSecond / theirs.ordersPerSecond;
  const rate = (reads: readonly ReadFigures[], name: string) =>
    reads.find(one => one.name === name)?.sample.requestsPerSecond ?? Number.NaN;
  return {
    checkout_vs_vendure: Math.min(...against('Vendure', orders)),
    checkout_p99_vs_vendure: Math.max(...against('Vendure', (mine, theirs) => mine.p99 / theirs.p99)),
    checkout_vs_medusa: Math.min(...against('Medusa', orders)),
    list_vs_vendure: rate(lists, ours) / rate(lists, 'Vendure'),
    detail_vs_vendure: rate(details, ours) / rate(details, 'Vendure'),
  };
}

/** @param findings with ours among the checkouts, and whichever peers could be started */
export async function reportOf(findings: Findings, { buyers, rounds, seconds }: PeersOptions): Promise<Report> {
  const { checkouts, lists, details, setups, missing, database, readers } = findings;
  const mine = (count: number) => checkouts.find(one => one.name === ours && one.buyers === count)!.sample;
  const orders = checkouts.map(({ name, buyers: count, sample, best }) => [
    ...[name, String(count), sample.ordersPerSecond.toFixed(1), best.toFixed(1)],
    name === ours || sample.ordersPerSecond === 0
      ? ''
      : `${(mine(count).ordersPerSecond / sample.ordersPerSecond).toFixed(1)} ×`,
    ...[sample.p50.toFixed(0), sample.p99.toFixed(0), sample.cpuMsPerOrder?.toFixed(1) ?? ''],
    Object.entries(sample.others)
      .map(([what, times]) => `${times} × ${what}`)
      .join(', '),
  ]);
  const all = [
    ...lists.map(one => ({ read: 'list of 20', ...one })),
    ...details.map(one => ({ read: 'product', ...one })),
  ];
  const reads = all.map(({ read, name, sample }) => [
    ...[read, name, sample.requestsPerSecond.toFixed(0), String(sample.p50), String(sample.p99), String(sample.errors)],
  ]);
  return {
    title: 'Beside Vendure and Medusa',
    text: `The same 100 products, with more pieces of each than are sold, on shops that run at the same time on this machine and are
loaded in turn:

${setups.map(line => `- ${line}`).join('\n')}
${database ? `\nThe peers share a ${database} with its usual durability; they were installed from npm and run with NODE_ENV=production, warnings logged alone.\n` : ''}${missing.map(line => `\n**${line}**\n`).join('')}
## Checkout

One piece of one product, from nothing to the placed order. With us a customer who is logged in sends one order with an
Idempotency-Key and its answer is 201, confirmed and paid. On Vendure a guest adds the piece to an order, names customer, address
and shipping method, goes to payment and pays with the dummy handler (6 requests, ends as PaymentSettled); on Medusa a guest makes
a cart, adds the piece, names address and e-mail, a shipping method, a payment collection and its session, and completes the
cart (7 requests, ends as an order, its payment authorized by the system's provider). Anything else does not count as an
order. Buyers order again at once; medians of ${rounds} rounds of ${seconds} s after one to warm up. An order that has begun is waited for, and the
time counts. Processor time is that of a shop's own processes, without database and broker. Our audit was clean after the
last order.

${table(['shop', 'buyers', 'orders/s', 'best round', 'ours is', 'p50, ms', 'p99, ms', 'CPU ms per order', 'failed'], orders)}

The ratios of this run are those for the number of buyers (${buyers.join(' or ')}) that is least to our advantage.

![Complete orders per second](peers-checkout.svg)

## Reads

${readers} connections, medians of ${rounds} rounds: the first 20 products with their prices (Vendure's from its search index, which was
built anew), and one product after the other. Ours pass the gateway, which may answer from its cache as it does by default; the
line "no two lists alike" shows lists that it never has in its cache.

${table(['read', 'shop', 'requests/s', 'p50, ms', 'p99, ms', 'errors'], reads)}

![Reads per second](peers-reads.svg)
`,
    plots: {
      'peers-checkout.svg': await bars({
        title: 'Complete orders per second',
        unit: 'orders/s',
        values: checkouts.map(one => ({
          ...{ name: `${one.name}, ${one.buyers} buyers`, value: one.sample.ordersPerSecond },
        })),
      }),
      'peers-reads.svg': await bars({
        title: 'Reads per second',
        unit: 'requests/s',
        values: all.map(({ read, name, sample }) => ({ name: `${read}: ${name}`, value: sample.requestsPerSecond })),
      }),
    },
    ratios: ratiosOf(findings),
  };
}
