import { processNames } from '@tradepost/local/processes/settings';
import { seeded } from '@tradepost/shared/testing/seeded';
import { type CheckoutSample, loadOnce, quantile } from '../checkout.ts';
import { residentMiB } from '../measure.ts';
import type { Report } from '../report.ts';
import { checkBooks } from './audit.ts';
import { type Branch, openBranch, signIn } from './branch.ts';
import { type Drained, drainBacklog, startLagMeter } from './queues.ts';
import { measureReads, type ReadSample } from './reads.ts';
import { type Replayed, replayInvoices } from './replay.ts';
import { reportOf } from './report.ts';
import { timeStart } from './starts.ts';

export interface GrowthOptions {
  /** Numbers of stored orders, the smallest first. */
  orders: readonly number[];
  /** Buyers, and connections that read. */
  clients: number;
  /** Length of each round, in seconds. */
  seconds: number;
  rounds: number;
  seed: number;
  say(line: string): void;
}

/** What was found of a shop with so many orders. */
export interface Grown {
  orders: number;
  checkouts: CheckoutSample[];
  /** Milliseconds from a confirmation to its arrival at a listener, sorted, under the load of the checkouts. */
  lags: number[];
  reads: ReadSample[];
  /** Milliseconds until order-service is ready. */
  starts: number[];
  drained: Drained;
  /** Resident memory in mebibytes, by process. */
  memory: Record<string, number>;
  storageMiB: number;
  /** Orders that were audited one by one. */
  audited: number;
}

/** Commits that wait are those of so many orders. */
const backlogOrders = 1_000;

/** The same shop at several sizes, side by side: what does it cost that so much is stored? */
export async function benchGrowth(options: GrowthOptions): Promise<Report> {
  const { say, seed } = options;
  const random = seeded(seed);
  const branches: Branch[] = [];
  try {
    for (const orders of options.orders) branches.push(await openBranch(orders, { random, say }));
    const grown = await measureAll(branches, options, random);
    await Promise.all(branches.splice(0).map(branch => branch.stop()));
    return await reportOf(grown, await replayed(say), options);
  } finally {
    await Promise.all(branches.map(branch => branch.stop()));
  }
}

async function measureAll(branches: Branch[], options: GrowthOptions, random: () => number): Promise<Grown[]> {
  const { say, clients: connections, rounds } = options;
  const checkouts = await measureCheckouts(branches, options);
  const reads = await measureReads(branches, { connections, rounds, say, seconds: Math.ceil(options.seconds / 2) });
  const memory = await Promise.all(branches.map(memoryOf));
  const starts = branches.map((): number[] => []);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [nth, branch] of branches.entries()) {
      const ms = await timeStart(branch);
      starts[nth]?.push(ms);
      say(`${branch.name}: order-service was ready after ${ms.toFixed(0)} ms`);
    }
  }
  const grown: Grown[] = [];
  for (const [nth, branch] of branches.entries()) {
    const drained = await drainBacklog(branch, backlogOrders, random);
    say(
      `${branch.name}: ${drained.commitsPerSecond.toFixed(0)} commits/s published, ${drained.handledPerSecond.toFixed(0)} messages/s handled`,
    );
    const storageMiB = (await branch.databases.storageBytes()) / 2 ** 20;
    const audited = await checkBooks(branch, say);
    grown.push({
      ...{ orders: branch.orders, ...(checkouts[nth] as Pick<Grown, 'checkouts' | 'lags'>) },
      ...{ reads: reads.filter(one => one.branch === branch), starts: starts[nth] ?? [], drained },
      ...{ memory: memory[nth] ?? {}, storageMiB, audited },
    });
  }
  return grown;
}

async function measureCheckouts(branches: readonly Branch[], options: GrowthOptions) {
  const { clients: buyers, rounds, seconds, say } = options;
  const kind = { name: '1 line', linesPerOrder: 1, isHot: false };
  const found = branches.map(() => ({ checkouts: [] as CheckoutSample[], lags: [] as number[] }));
  const meters = await Promise.all(branches.map(startLagMeter));
  try {
    const markets = await Promise.all(branches.map(signIn));
    for (let round = 0; round <= rounds; round += 1) {
      for (const [nth, branch] of branches.entries()) {
        meters[nth]?.take();
        const sample = await loadOnce(branch.shop, markets[nth]!, { kind, buyers, seconds });
        const lags = meters[nth]?.take() ?? [];
        const turn = round === 0 ? 'warm-up' : `round ${round} of ${rounds}`;
        const others = Object.keys(sample.others).length > 0 ? ` ${JSON.stringify(sample.others)}` : '';
        say(
          `${turn}: ${branch.name}: ${sample.ordersPerSecond.toFixed(1)} orders/s, p50 ${sample.p50.toFixed(0)} ms, p99 ${sample.p99.toFixed(0)} ms, messages after ${quantile(lags, 0.5)} ms${others}`,
        );
        if (round === 0) continue;
        found[nth]?.checkouts.push(sample);
        found[nth]?.lags.push(...lags);
      }
    }
  } finally {
    await Promise.all(meters.map(meter => meter.stop()));
  }
  for (const { lags } of found) lags.sort((a, b) => a - b);
  return found;
}

async function memoryOf({ shop, databases }: Branch): Promise<Record<string, number>> {
  const processes = processNames.map(name => [name, residentMiB(shop.pidOf(name)) ?? Number.NaN] as const);
  return { ...Object.fromEntries(processes), MongoDB: await databases.serverMiB() };
}

/** Plays the invoices that the settings name, if they do. */
async function replayed(say: (line: string) => void): Promise<Replayed | undefined> {
  const { REPLAY_CATALOGUE: catalogue, REPLAY_ORDERS: orders, REPLAY_LIMIT: limit } = process.env;
  if (catalogue && orders) return replayInvoices({ catalogue, orders, say, ...(limit && { limit: Number(limit) }) });
  say('the replay of invoices is left out: REPLAY_CATALOGUE and REPLAY_ORDERS are not set');
  return undefined;
}
