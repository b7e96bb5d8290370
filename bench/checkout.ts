import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { hopsText, measureHops } from './hops.ts';
import { type Market, openMarket } from './market.ts';
import { cpuSeconds, median } from './measure.ts';
import { lines, type Report, table } from './report.ts';
import { type BenchShop, hasServers, startBenchShop, startEmbeddedShop } from './shop.ts';

export interface CheckoutOptions {
  buyers: readonly number[];
  /** Length of each round, in seconds. */
  seconds: number;
  rounds: number;
  say(line: string): void;
}

/** One kind of purchase. */
interface Kind {
  name: string;
  linesPerOrder: number;
  /** All buy the same product. */
  isHot: boolean;
}

export const checkoutKinds: readonly [Kind, Kind, Kind] = [
  { name: '1 line', linesPerOrder: 1, isHot: false },
  { name: '10 lines', linesPerOrder: 10, isHot: false },
  { name: '1 line, all the same product', linesPerOrder: 1, isHot: true },
];

export interface CheckoutSample {
  /** How many ended confirmed. */
  orders: number;
  ordersPerSecond: number;
  p50: number;
  p99: number;
  /** Processor milliseconds of the shop's own processes for one order. */
  cpuMsPerOrder?: number | undefined;
  /** Answers other than 201, by status and code. */
  others: Record<string, number>;
}

/** Complete orders: placed with a key, ended as confirmed and paid within their request. */
export async function benchCheckout(options: CheckoutOptions): Promise<Report> {
  const { say } = options;
  const starts = [startEmbeddedShop, ...(hasServers() ? [startBenchShop] : [])];
  if (!hasServers()) say('MONGOD_BIN and RABBITMQ_SERVER_BIN are not set: only npm start is measured');
  const found: { shop: string; kind: Kind; buyers: number; sample: CheckoutSample }[] = [];
  for (const start of starts) {
    const shop = await start({ say });
    try {
      const market = await openMarket(shop);
      for (const { kind, buyers, samples } of await measureAll(shop, market, options)) {
        found.push({ shop: shop.name, kind, buyers, sample: middleOf(samples) });
      }
      const audit = await shop.send('GET', '/api/operations/audit', { token: await shop.adminToken() });
      if (audit.body.clean !== true) throw new Error(`the books are wrong: ${JSON.stringify(audit.body.findings)}`);
    } finally {
      await shop.stop();
    }
  }
  const report = await reportOf(found, options);
  const hops = await measureHops(starts.at(-1) ?? startEmbeddedShop, say);
  return { ...report, text: `${report.text}\n${hopsText(hops)}` };
}

async function measureAll(shop: BenchShop, market: Market, { buyers, seconds, rounds, say }: CheckoutOptions) {
  const all = checkoutKinds.flatMap(kind =>
    buyers.map(count => ({ kind, buyers: count, samples: [] as CheckoutSample[] })),
  );
  for (let round = 0; round <= rounds; round += 1) {
    for (const one of all) {
      const sample = await loadOnce(shop, market, { ...one, seconds });
      const figures = `${sample.ordersPerSecond.toFixed(1)} orders/s, p50 ${sample.p50.toFixed(0)} ms, p99 ${sample.p99.toFixed(0)} ms`;
      const others = Object.keys(sample.others).length > 0 ? ` ${JSON.stringify(sample.others)}` : '';
      say(
        `${shop.name}, ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${one.kind.name}, ${one.buyers} buyers: ${figures}${others}`,
      );
      if (round > 0) one.samples.push(sample);
    }
  }
  return all;
}

const shippingAddress = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };

export interface CheckoutLoad {
  kind: Kind;
  buyers: number;
  seconds: number;
}

export async function loadOnce(shop: BenchShop, market: Market, load: CheckoutLoad): Promise<CheckoutSample> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.buyers });
  const tookMs: number[] = [];
  const others: Record<string, number> = {};
  const [began, cpuBefore] = [performance.now(), cpuSeconds(shop.pids())];
  const end = began + load.seconds * 1_000;
  let turn = 0;
  const buyer = async (number: number) => {
    while (performance.now() < end) {
      turn += 1;
      const first = load.kind.isHot ? 0 : turn * load.kind.linesPerOrder;
      const items = Array.from({ length: load.kind.linesPerOrder }, (_, line) => ({
        productId: market.products[(first + line) % market.products.length] as string,
        quantity: 1,
      }));
      const asked = performance.now();
      const answer = await post(
        agent,
        `${shop.url}/api/orders`,
        market.tokens[number % market.tokens.length] as string,
        {
          items,
          shippingAddress,
          payment: { token: 'tok_visa' },
        },
      );
      if (answer === '201 confirmed') tookMs.push(performance.now() - asked);
      else others[answer] = (others[answer] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: load.buyers }, (_, number) => buyer(number)));
  const [seconds, cpuAfter] = [(performance.now() - began) / 1_000, cpuSeconds(shop.pids())];
  agent.destroy();
  const sorted = tookMs.sort((a, b) => a - b);
  return {
    orders: sorted.length,
    ordersPerSecond: sorted.length / seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    cpuMsPerOrder:
      cpuBefore === undefined || cpuAfter === undefined ? undefined : (1_000 * (cpuAfter - cpuBefore)) / sorted.length,
    others,
  };
}

/** The value below which so great a part of the sorted values lies (nearest rank). NaN without any. */
export const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;

/** @returns status and what became of the order, as `201 confirmed` */
function post(agent: Agent, url: string, token: string, body: unknown): Promise<string> {
  return new Promise(resolve => {
    const text = JSON.stringify(body);
    const sent = request(
      url,
      {
        ...{ agent, method: 'POST' },
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(text),
          Authorization: `Bearer ${token}`,
          'Idempotency-Key': randomUUID(),
        },
      },
      response => {
        let answer = '';
        response.setEncoding('utf8').on('data', chunk => {
          answer += chunk;
        });
        response.on('end', () => {
          const { status, code } = JSON.parse(answer) as { status: string; code?: string };
          resolve(`${response.statusCode} ${code ?? status}`);
        });
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(`no answer ${error.code}`));
    sent.end(text);
  });
}

/** The medians of all rounds; what was not an order is added up. */
export function middleOf(samples: readonly CheckoutSample[]): CheckoutSample {
  const of = (key: 'orders' | 'ordersPerSecond' | 'p50' | 'p99') => median(samples.map(sample => sample[key]));
  const costs = samples.flatMap(({ cpuMsPerOrder }) => cpuMsPerOrder ?? []);
  const others: Record<string, number> = {};
  for (const sample of samples) {
    for (const [name, count] of Object.entries(sample.others)) others[name] = (others[name] ?? 0) + count;
  }
  return {
    ...{ orders: of('orders'), ordersPerSecond: of('ordersPerSecond'), p50: of('p50'), p99: of('p99'), others },
    cpuMsPerOrder: costs.length > 0 ? median(costs) : undefined,
  };
}

type Found = { shop: string; kind: Kind; buyers: number; sample: CheckoutSample };

async function reportOf(found: readonly Found[], { rounds, seconds, buyers }: CheckoutOptions): Promise<Report> {
  const rows = found.map(({ shop, kind, buyers: count, sample }) => [
    ...[
      shop,
      kind.name,
      String(count),
      sample.ordersPerSecond.toFixed(1),
      sample.p50.toFixed(0),
      sample.p99.toFixed(0),
    ],
    sample.cpuMsPerOrder?.toFixed(1) ?? '',
    Object.entries(sample.others)
      .map(([name, times]) => `${times} × ${name}`)
      .join(', '),
  ]);
  const head = ['shop', 'order', 'buyers', 'orders/s', 'p50, ms', 'p99, ms', 'CPU ms per order', 'not confirmed'];
  const last = found.at(-1)?.shop;
  const rateOf = (kind: Kind) =>
    median(
      found
        .filter(one => one.shop === last && one.kind === kind && one.buyers >= 8)
        .map(one => one.sample.ordersPerSecond),
    );
  return {
    title: 'Checkout',
    text: `Complete orders through the gateway, each with an Idempotency-Key, confirmed and paid in its answer. ${buyers.join(', ')} buyers
who order again at once; medians of ${rounds} rounds of ${seconds} s after one to warm up. The buyers run on the same machine. The
processor time is that of the shop's own processes, without the database's and the broker's. The audit was clean after
each shop's last order.

${table(head, rows)}

![Orders per second](checkout.svg)
`,
    plots: {
      'checkout.svg': await lines({
        title: 'Complete orders per second',
        x: { unit: 'buyers', isLogarithmic: true },
        unit: 'orders/s',
        values: found.map(({ shop, kind, buyers: count, sample }) => ({
          series: `${shop}: ${kind.name}`,
          x: count,
          value: sample.ordersPerSecond,
        })),
      }),
    },
    ratios: { hot_vs_spread: rateOf(checkoutKinds[2]) / rateOf(checkoutKinds[0]) },
  };
}
