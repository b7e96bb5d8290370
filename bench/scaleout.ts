import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processNames } from '@tradepost/local/processes/settings';
import { send } from '@tradepost/local/testing';
import { settledAt } from '../tests/compose/shop.ts';
import { loadOnce } from './checkout.ts';
import { type ContainerShop, startContainerShop, type Usage } from './containers.ts';
import { type Market, openMarket } from './market.ts';
import { median } from './measure.ts';
import { lines, type Report, table } from './report.ts';
import type { BenchShop } from './shop.ts';

export interface ScaleoutOptions {
  /** Instances of each process, of which every size is measured in every round. */
  sizes: readonly number[];
  /** The part of a processor that an instance gets. */
  cpus: number;
  /** Customers at one time, for each instance of a process. */
  buyers: number;
  /** Length of each measurement, in seconds. */
  seconds: number;
  rounds: number;
  say(line: string): void;
}

interface Sample {
  ordersPerSecond: number;
  p50: number;
  p99: number;
  others: Record<string, number>;
  /** Processors used on average, by service. */
  used: Record<string, number>;
}

/** As many orders as an instance has to see before its code is compiled as well as it gets, but not for longer than this. */
const [warmUpOrders, warmUpLimitMs, settleSeconds] = [1_000, 180_000, 3];
const kind = { name: '1 line', linesPerOrder: 1, isHot: false };

/** Orders a second of the shop in containers with one instance of each process, two and three, each held to a part of a processor. */
export async function benchScaleout(options: ScaleoutOptions): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-scaleout-'));
  const { say, sizes } = options;
  say('building and starting the shop in containers');
  const shop = await startContainerShop(folder);
  const samples = new Map(sizes.map(size => [size, [] as Sample[]]));
  try {
    await shop.scale(1);
    const bench = benchShopOf(shop);
    const market = await openStockedMarket(bench);
    for (let round = 1; round <= options.rounds; round += 1) {
      // From the most to the fewest, so that all are warm: what is taken away needs no start.
      const largest = Math.max(...sizes);
      await shop.cap(1);
      await shop.scale(largest);
      await warmUp(bench, market, largest, say);
      for (const size of sizes.toSorted((a, b) => b - a)) {
        const sample = await measure(shop, bench, market, size, options);
        samples.get(size)!.push(sample);
        const others = Object.keys(sample.others).length > 0 ? ` ${JSON.stringify(sample.others)}` : '';
        say(
          `round ${round} of ${options.rounds}: ${size} of each: ${sample.ordersPerSecond.toFixed(1)} orders/s, p50 ${sample.p50.toFixed(0)} ms${others}; processors used ${JSON.stringify(sample.used)}`,
        );
      }
    }
    await settledAt(bench, 120_000);
  } finally {
    await shop.stop();
    rmSync(folder, { recursive: true });
  }
  return reportOf(samples, options);
}

async function measure(
  shop: ContainerShop,
  bench: BenchShop,
  market: Market,
  size: number,
  { cpus, buyers, seconds }: ScaleoutOptions,
): Promise<Sample> {
  await shop.scale(size);
  await shop.cap(cpus);
  const load = { kind, buyers: buyers * size };
  await loadOnce(bench, market, { ...load, seconds: settleSeconds });
  const [before, began] = [await shop.usage(), performance.now()];
  const { ordersPerSecond, p50, p99, others } = await loadOnce(bench, market, { ...load, seconds });
  const [after, tookSeconds] = [await shop.usage(), (performance.now() - began) / 1_000];
  const [first, last] = [totals(before), totals(after)];
  const used = Object.entries(last).map(([name, end]) => [
    name,
    Number(((end - (first[name] ?? 0)) / tookSeconds).toFixed(3)),
  ]);
  return { ordersPerSecond, p50, p99, others, used: Object.fromEntries(used) };
}

/** Orders without caps, or instances would be measured while they compile. */
async function warmUp(bench: BenchShop, market: Market, size: number, say: (line: string) => void): Promise<void> {
  let orders = 0;
  const until = performance.now() + warmUpLimitMs;
  while (orders < warmUpOrders * size && performance.now() < until) {
    const [seconds, buyers] = [10, 8 * size];
    orders += Math.round(seconds * (await loadOnce(bench, market, { kind, buyers, seconds })).ordersPerSecond);
  }
  say(`warm after about ${orders} orders`);
}

/** Processor seconds by service; all databases are one. */
function totals(usage: readonly Usage[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { service, cpuSeconds } of usage) {
    const name = service.endsWith('-db') ? 'databases' : service;
    sums[name] = (sums[name] ?? 0) + cpuSeconds;
  }
  return sums;
}

async function openStockedMarket(bench: BenchShop): Promise<Market> {
  for (;;) {
    const { body } = await bench.send('GET', '/api/products?limit=100');
    if (body.items?.length >= 20) return openMarket(bench);
    await sleep(1_000);
  }
}

/** The shop as the other benchmarks know it; each look at its address gives the next gateway. */
function benchShopOf(shop: ContainerShop): BenchShop {
  let [turn, customers] = [0, 0];
  const next = (): string => {
    const urls = shop.urls();
    turn += 1;
    return urls[turn % urls.length]!;
  };
  const token = async (path: string, body: unknown): Promise<string> =>
    (await send(next(), 'POST', path, { body })).body.accessToken;
  return {
    name: 'containers',
    get url() {
      return next();
    },
    pids: () => [],
    pidOf: () => 0,
    send: (method, path, request) => send(next(), method, path, request),
    register() {
      customers += 1;
      const email = `customer-${customers}@example.com`;
      return token('/api/users/register', { email, password: 'a long enough password', name: 'Ada' });
    },
    adminToken: () => token('/api/users/login', shop.admin),
    stop: shop.stop,
  };
}

async function reportOf(samples: ReadonlyMap<number, Sample[]>, options: ScaleoutOptions): Promise<Report> {
  const { cpus, buyers, seconds, rounds } = options;
  const found = [...samples].map(([size, all]) => {
    const of = (value: (sample: Sample) => number) => median(all.map(value));
    const used = (name: string) => of(sample => sample.used[name] ?? 0);
    return { size, all, rate: of(sample => sample.ordersPerSecond), of, used };
  });
  const one = found[0]!.rate / found[0]!.size;
  const rows = found.map(({ size, all, rate, of }) => [
    ...[String(size), rate.toFixed(1), (rate / one).toFixed(2)],
    ...[of(({ p50 }) => p50).toFixed(0), of(({ p99 }) => p99).toFixed(0)],
    String(all.reduce((sum, { others }) => sum + Object.values(others).reduce((a, b) => a + b, 0), 0)),
  ]);
  const share = (value: number, size: number) => `${((100 * value) / (cpus * size)).toFixed(0)} %`;
  const parts = [
    ...processNames.map(name => [name, ...found.map(({ size, used }) => share(used(name), size))]),
    ...['databases', 'rabbitmq'].map(name => [
      `${name}, processors`,
      ...found.map(({ used }) => used(name).toFixed(2)),
    ]),
  ];
  const sizes = found.map(({ size }) => `${size} of each`);
  return {
    title: 'Scale-out',
    text: `Complete orders of one line through the gateway of the shop in containers. Every instance of its six processes is held to
${cpus} of a processor; databases, broker and customers are not. ${buyers} customers for each instance, who order again at
once; medians of ${rounds} rounds of ${seconds} s, in each of which instances are taken away after ${warmUpOrders} orders each without caps to
warm up. The audit was clean at the end.

${table(['instances of each', 'orders/s', 'times one', 'p50, ms', 'p99, ms', 'not confirmed'], rows)}

How much of what it may use each process used:

${table(['', ...sizes], parts)}

![Orders per second](scaleout.svg)
`,
    plots: {
      'scaleout.svg': await lines({
        title: `Complete orders per second, ${cpus} of a processor for each instance`,
        x: { unit: 'instances of each process' },
        unit: 'orders/s',
        values: found.flatMap(({ size, rate }) => [
          { series: 'measured', x: size, value: rate },
          { series: 'in proportion', x: size, value: size * one },
        ]),
      }),
    },
    ratios: Object.fromEntries(
      found.filter(({ size }) => size > 1).map(({ size, rate }) => [`scaleout_${size}_vs_1`, rate / one]),
    ),
  };
}
