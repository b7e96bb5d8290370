import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import { type Account, createBuyers, signIn } from './buyers.ts';
import { type CatalogueProduct, type Rejected, readCatalogue } from './catalogue.ts';
import { type PlannedOrder, readOrders } from './orders.ts';
import { type Outcome, play } from './play.ts';
import type { Progress } from './progress.ts';
import { createShopClient } from './shopClient.ts';
import { importProducts, type Levels, productIds, setStock, settledStock } from './stock.ts';

export interface ReplayOptions {
  cataloguePath: string;
  ordersPath: string;
  /** Orders to play, the first of the file. */
  limit: number;
  /** Orders under way at once. */
  buyers: number;
  /** Address of the gateway. */
  url: string;
  admin: { email: string; password: string };
  /** Names the run: the same seed continues it, another one buys everything once more. */
  seed: string;
  /** Where a run's own file is, which remembers the stock from before its first order. */
  stateFile(run: string): string;
  startProgress(total: number): Progress;
  say(line: string): void;
  random: () => number;
}

export interface ReplayResult {
  catalogue: { created: number; updated: number; unchanged: number; rejected: Rejected[] };
  orders: { played: number; cancels: number; rejected: Rejected[] };
  outcomes: Outcome[];
  /** Confirmed orders whose total is not quantity × catalogue price. */
  wrongTotals: Outcome[];
  /** Orders that share their id with another. */
  doubles: Outcome[];
  /** Products whose stock is not what it was less what was bought. */
  wrongStock: { sku: string; expected: number; found: number | undefined }[];
  stockChecked: number;
  /** The shop's time before the first order of this run; what is older was placed by an earlier one. */
  startedAt: Date;
  seconds: number;
  retries: number;
}

const surplus = 100;
const settleMs = 60_000;
const clockPollMs = 50;
/** Thousands of products may have been imported a moment ago, each of which inventory hears of by a message. */
const openingMs = 300_000;

/**
 * Imports the catalogue, plays the orders and compares totals and stock with what the files say. May be ended at any
 * moment and started again with the same options: every order has a key of its own, so none is placed twice.
 * @throws StartError when the files or the shop are of no use
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { say } = options;
  const catalogue = readCatalogue(options.cataloguePath);
  const bySku = new Map(catalogue.products.map(product => [product.sku, product]));
  const file = await readOrders(options.ordersPath, bySku, options.limit);
  for (const { line, reason } of catalogue.rejected) say(`catalogue line ${line} skipped: ${reason}`);
  for (const { line, reason } of file.rejected) say(`orders line ${line} skipped: ${reason}`);
  if (file.cancels > 0) say(`${file.cancels} cancels skipped: they do not say which order they undo`);
  if (file.orders.length === 0) throw new StartError(`${options.ordersPath} has no order that can be played`);

  const limits = new Map<string, number>();
  const client = createShopClient({
    url: options.url,
    random: options.random,
    onAway: say,
    onLimit(path, seconds) {
      if ((limits.get(path) ?? 0) > Date.now()) return;
      limits.set(path, Date.now() + seconds * 1_000);
      say(limitNote(path, seconds));
    },
  });
  const admin = await signIn(client, options.admin.email, options.admin.password);
  const run = await runName(options, admin);
  const prepared = await prepare(options, run, admin, catalogue.products, file.orders);
  for (const { line, reason } of prepared.rejected) say(`catalogue line ${line} skipped: ${reason}`);

  const startedAt = await nextSecond(admin);
  const started = performance.now();
  const outcomes = await playAll(options, run, file.orders, prepared.ids, createBuyers(client, options.seed));
  const seconds = (performance.now() - started) / 1_000;
  const found = await settledStock(admin, prepared.ids, settleMs);
  return {
    catalogue: { ...prepared, rejected: [...catalogue.rejected, ...prepared.rejected] },
    orders: { played: outcomes.length, cancels: file.cancels, rejected: file.rejected },
    outcomes,
    wrongTotals: outcomes.filter(one => one.total !== undefined && one.total !== one.order.expectedTotal),
    doubles: doublesOf(outcomes),
    wrongStock: wrongStock(prepared.baseline, outcomes, found),
    stockChecked: Object.keys(prepared.baseline).length,
    ...{ startedAt, seconds },
    retries: client.retries(),
  };
}

function limitNote(path: string, seconds: number): string {
  const setting = /\/(register|login|refresh)$/.test(path) ? 'AUTH_RATE_LIMIT' : 'RATE_LIMIT_PER_MINUTE';
  return `The gateway limits ${path}: waiting ${seconds} s. Start the shop with a higher ${setting} to go faster`;
}

/** The same for the same files, limit, seed and shop. */
async function runName(options: ReplayOptions, admin: Account): Promise<string> {
  const me = z.object({ id: z.string() }).parse((await admin.send('GET', '/api/users/me')).body);
  const hash = createHash('sha256');
  for (const path of [options.cataloguePath, options.ordersPath]) hash.update(readFileSync(path));
  return hash.update(`${options.limit} ${options.seed} ${me.id}`).digest('hex').slice(0, 16);
}

interface Prepared {
  created: number;
  updated: number;
  unchanged: number;
  rejected: Rejected[];
  /** Product ids of the catalogue's products by sku. */
  ids: Map<string, string>;
  /** Stock before the first order of this run. */
  baseline: Levels;
}

async function prepare(
  options: ReplayOptions,
  run: string,
  admin: Account,
  products: readonly CatalogueProduct[],
  orders: readonly PlannedOrder[],
): Promise<Prepared> {
  const needed = unitsOf(orders);
  const counts = await importProducts(
    admin,
    products,
    product => Math.max(product.stock, needed[product.sku] ?? 0) + surplus,
  );
  options.say(
    `catalogue: ${counts.created} created, ${counts.updated} updated, ${counts.unchanged} unchanged, ${counts.rejected.length} refused`,
  );
  const listed = await productIds(admin);
  const ids = new Map(products.flatMap(({ sku }) => (listed.has(sku) ? [[sku, listed.get(sku) ?? '']] : [])));
  return { ...counts, ids, baseline: await baselineOf(options.stateFile(run), admin, ids, needed) };
}

async function baselineOf(
  stateFile: string,
  admin: Account,
  ids: ReadonlyMap<string, string>,
  needed: Levels,
): Promise<Levels> {
  if (existsSync(stateFile)) return z.record(z.string(), z.int()).parse(JSON.parse(readFileSync(stateFile, 'utf8')));
  const baseline = await settledStock(admin, ids, openingMs);
  const unknown = ids.size - Object.keys(baseline).length;
  if (unknown > 0) throw new StartError(`The stock of ${unknown} products is not open yet: try again in a while`);
  for (const [sku, pieces] of Object.entries(needed)) {
    const id = ids.get(sku);
    if (id === undefined || (baseline[sku] ?? 0) >= pieces) continue;
    await setStock(admin, id, pieces + surplus);
    baseline[sku] = pieces + surplus;
  }
  mkdirSync(dirname(stateFile), { recursive: true });
  writeFileSync(stateFile, JSON.stringify(baseline));
  return baseline;
}

async function playAll(
  options: ReplayOptions,
  run: string,
  orders: readonly PlannedOrder[],
  ids: ReadonlyMap<string, string>,
  account: (customerId: string) => Promise<Account>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const progress = options.startProgress(orders.length);
  try {
    await play({
      orders,
      buyers: options.buyers,
      account,
      productId: sku => ids.get(sku) ?? sku,
      keyOf: order => `${run}-${order.invoiceNo}`,
      done(outcome) {
        outcomes.push(outcome);
        progress.tick();
        const { order, problem } = outcome;
        if (problem) progress.note(`orders line ${order.line} (invoice ${order.invoiceNo}): ${problem}`);
      },
    });
  } finally {
    progress.stop();
  }
  return outcomes;
}

/** Pieces by sku that the orders take together. */
export function unitsOf(orders: Iterable<PlannedOrder>): Levels {
  const units: Levels = {};
  for (const { quantities } of orders) {
    for (const [sku, quantity] of quantities) units[sku] = (units[sku] ?? 0) + quantity;
  }
  return units;
}

function doublesOf(outcomes: readonly Outcome[]): Outcome[] {
  const seen = new Set<string>();
  return outcomes.filter(({ orderId }) => {
    if (orderId === undefined) return false;
    const known = seen.has(orderId);
    seen.add(orderId);
    return known;
  });
}

function wrongStock(baseline: Levels, outcomes: readonly Outcome[], found: Levels): ReplayResult['wrongStock'] {
  const bought = unitsOf(outcomes.filter(one => one.orderId !== undefined).map(one => one.order));
  return Object.entries(baseline)
    .map(([sku, pieces]) => ({ sku, expected: pieces - (bought[sku] ?? 0), found: found[sku] }))
    .filter(({ expected, found }) => expected !== found);
}

/** Waits for the shop's clock, which tells whole seconds, to move: then every order of an earlier run is older. */
async function nextSecond(account: Account): Promise<Date> {
  const { at: before } = await account.send('GET', '/api/users/me');
  for (;;) {
    await sleep(clockPollMs);
    const { at } = await account.send('GET', '/api/users/me');
    if (at > before) return at;
  }
}
