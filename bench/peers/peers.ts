import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../tests/real/realShop.ts';
import { type CheckoutSample, loadOnce, middleOf } from '../checkout.ts';
import { type Market, openMarket } from '../market.ts';
import { type Contender, compare } from '../measure.ts';
import { generateProducts } from '../products.ts';
import type { Report } from '../report.ts';
import { type BenchShop, startBenchShop } from '../shop.ts';
import { removeAtEnd } from './install.ts';
import { startMedusa } from './medusa.ts';
import { inTurn, loadPeer, type Peer, plenty } from './peer.ts';
import { startPostgres } from './postgres.ts';
import { type CheckoutFigures, type Findings, ours, reportOf } from './report.ts';
import { startVendure } from './vendure.ts';

export interface PeersOptions {
  buyers: readonly number[];
  /** Length of each round of orders, in seconds; rounds of reads are shorter. */
  seconds: number;
  rounds: number;
  say(line: string): void;
}

/** A compiler that learns while it runs needs thousands of requests: our shop doubles its pace in its first 20 s. */
const warmUpShare = 3;
const readers = 32;
const readShare = 0.4;
const booksLimitMs = 60_000;

const catalogue = [...generateProducts(100, 1)].map(product => ({ ...product, initialStock: plenty }));

const starts = { Vendure: startVendure, Medusa: startMedusa };

/** The same checkout and the same reads on our shop, on Vendure and on Medusa, in turn. */
export async function benchPeers(options: PeersOptions): Promise<Report> {
  const { say } = options;
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-peers-run-'));
  const remove = removeAtEnd(folder);
  const closing: (() => Promise<unknown>)[] = [];
  try {
    // The database's server may run as another user.
    chmodSync(folder, 0o755);
    const shop = await startBenchShop({ say });
    closing.push(shop.stop);
    await stock(shop);
    const { peers, missing, database } = await startPeers(folder, closing, say);
    const market = await openMarket(shop);
    // Reads before orders, so that no order that a shop still works on counts against its reads.
    const reads = await measureReads({ shop, market, peers }, options);
    const checkouts = await measureCheckouts({ shop, market, peers }, options);
    await checkBooks(shop);
    const setups = [`${ours}: six processes on MongoDB and RabbitMQ`, ...peers.map(({ setup }) => setup)];
    return await reportOf({ checkouts, ...reads, setups, missing, database, readers }, options);
  } finally {
    for (const close of closing.reverse()) await close();
    remove();
  }
}

/** An order whose buyer was not answered in time ends a moment later. */
async function checkBooks(shop: BenchShop): Promise<void> {
  const token = await shop.adminToken();
  let found: unknown;
  await until(
    async () => {
      const { status, body } = await shop.send('GET', '/api/operations/audit', { token });
      found = body.findings ?? status;
      return body.clean === true;
    },
    booksLimitMs,
    () => ({ 'the books are wrong': found }),
  );
}

async function stock(shop: BenchShop): Promise<void> {
  const answer = await shop.send('POST', '/api/products/import', {
    ...{ token: await shop.adminToken(), headers: { 'Content-Type': 'application/x-ndjson' } },
    body: catalogue.map(product => JSON.stringify(product)).join('\n'),
  });
  if (answer.body.created !== catalogue.length) throw new Error(`import: ${JSON.stringify(answer.body)}`);
}

/** Those that can be installed and started here; why another cannot is said, and told in the report. */
async function startPeers(folder: string, closing: (() => Promise<unknown>)[], say: (line: string) => void) {
  const peers: Peer[] = [];
  const missing: string[] = [];
  const names = Object.keys(starts) as (keyof typeof starts)[];
  const attempt = async <T>(what: string, start: () => Promise<T & { stop(): Promise<void> }>) => {
    try {
      const started = await start();
      closing.push(started.stop);
      return started;
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { code?: string } };
      const reason = `${message.trim()}${cause?.code ? ` (${cause.code})` : ''}`;
      say(`${what} left out: ${reason}`);
      missing.push(`${what} left out: ${reason.replaceAll(/\s+/g, ' ').slice(0, 300)}`);
      return undefined;
    }
  };
  const postgres = await attempt(`${names.join(' and ')} are`, () =>
    startPostgres(
      folder,
      names.map(name => name.toLowerCase()),
      say,
    ),
  );
  if (!postgres) return { peers, missing, database: undefined };
  const catalogueFile = join(folder, 'catalogue.json');
  writeFileSync(catalogueFile, JSON.stringify(catalogue));
  for (const name of names) {
    const peer = await attempt(`${name} is`, () =>
      starts[name]({ folder, databasePort: postgres.port, catalogue, catalogueFile, say }),
    );
    if (peer) peers.push(peer);
  }
  return { peers, missing, database: postgres.version };
}

interface Shops {
  shop: BenchShop;
  market: Market;
  peers: readonly Peer[];
}

const oneLine = { name: '1 line', linesPerOrder: 1, isHot: false };

type Load = (load: { buyers: number; seconds: number }) => Promise<CheckoutSample>;

async function measureCheckouts({ shop, market, peers }: Shops, { buyers, seconds, rounds, say }: PeersOptions) {
  const loads: [string, Load][] = [
    [ours, load => loadOnce(shop, market, { kind: oneLine, ...load })],
    ...peers.map((peer): [string, Load] => [peer.name, load => loadPeer(peer, load)]),
  ];
  const all = buyers.flatMap(count =>
    loads.map(([name, load]) => ({ name, load, buyers: count, samples: [] as CheckoutSample[] })),
  );
  for (let round = 0; round <= rounds; round += 1) {
    const isWarmUp = round === 0;
    for (const one of isWarmUp ? all.slice(0, loads.length) : all) {
      const sample = await one.load({ buyers: one.buyers, seconds: isWarmUp ? warmUpShare * seconds : seconds });
      const figures = `${sample.ordersPerSecond.toFixed(1)} orders/s, p50 ${sample.p50.toFixed(0)} ms, p99 ${sample.p99.toFixed(0)} ms`;
      const others = Object.keys(sample.others).length > 0 ? ` ${JSON.stringify(sample.others)}` : '';
      say(
        `${isWarmUp ? 'warm-up' : `round ${round} of ${rounds}`}: ${one.name}, ${one.buyers} buyers: ${figures}${others}`,
      );
      if (!isWarmUp) one.samples.push(sample);
    }
  }
  return all.map(
    ({ name, buyers: count, samples }): CheckoutFigures => ({
      ...{ name, buyers: count, sample: middleOf(samples), best: Math.max(...samples.map(one => one.ordersPerSecond)) },
    }),
  );
}

async function measureReads({ shop, market, peers }: Shops, { seconds, rounds, say }: PeersOptions) {
  const options = { connections: readers, seconds: Math.max(1, Math.round(seconds * readShare)), rounds, say };
  const read = async (contenders: Contender[]): Promise<Findings['lists']> => {
    const samples = await compare(contenders, options);
    return contenders.map(({ name }, index) => ({ name, sample: samples[index]! }));
  };
  const get = (path: string) => ({ method: 'GET' as const, path });
  const { url } = shop;
  // Prices from which a list begins, so many that none is asked for twice while the gateway keeps its answer.
  const unlike = Array.from({ length: 10_000 }, (_, price) => get(`/api/products?limit=20&minPrice=${price}`));
  say(`lists of 20 products, ${readers} connections`);
  const lists = await read([
    { name: ours, url: `${url}/api/products?limit=20`, pids: [] },
    { name: `${ours}, no two lists alike`, url, pids: [], requests: inTurn(unlike) },
    ...peers.map(({ list }) => list),
  ]);
  say(`product details, ${readers} connections`);
  const details = await read([
    { name: ours, url, pids: [], requests: inTurn(market.products.map(id => get(`/api/products/${id}`))) },
    ...peers.map(({ detail }) => detail),
  ]);
  return { lists, details };
}
