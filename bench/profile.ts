import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type ProcessName, processNames } from '@tradepost/local/processes/settings';
import autocannon from 'autocannon';
import { checkoutKinds, loadOnce } from './checkout.ts';
import { type CpuProfile, costsByPlace, type PlaceCost } from './cpuProfile.ts';
import { openMarket } from './market.ts';
import { type Report, table } from './report.ts';
import { type BenchShop, startBenchShop } from './shop.ts';

export interface ProfileOptions {
  /** Length of each load, in seconds. */
  seconds: number;
  say(line: string): void;
}

interface Profiled {
  process: ProcessName;
  /** Processor milliseconds for one request or order. */
  ms: number;
  costs: PlaceCost[];
}

/** Where the processor's time goes, by V8's sampling profiler, while products are read and while orders are placed. */
export async function benchProfile(options: ProfileOptions): Promise<Report> {
  const reads = await profileReads(options);
  const orders = await profileOrders(options);
  const section = ({ process, ms, costs }: Profiled, per: string) =>
    `### ${process}: ${ms.toFixed(2)} ms per ${per}\n\n${table(
      ['where', 'share of its time'],
      costs.slice(0, 12).map(({ place, share }) => [place, `${(100 * share).toFixed(1)} %`]),
    )}`;
  const whole = sumOf(orders);
  return {
    title: 'Profiles',
    text: `Self time by package, part of Node or file of ours, from V8's own sampling profiler, idle time left out. The profiler
itself slows what it measures, so only the shares and their order count.

## A product of 1 KB through the gateway, not from its cache

${reads.map(one => section(one, 'request')).join('\n\n')}

## A checkout of one line, 8 buyers

All processes together, ${orders.reduce((sum, { ms }) => sum + ms, 0).toFixed(1)} ms per order:

${table(
  ['where', 'share of all time'],
  whole.slice(0, 12).map(({ place, share }) => [place, `${(100 * share).toFixed(1)} %`]),
)}

${orders.map(one => section(one, 'order')).join('\n\n')}
`,
    plots: {},
    ratios: {},
  };
}

async function profileReads({ seconds, say }: ProfileOptions): Promise<Profiled[]> {
  const upstream = fork(join(import.meta.dirname, 'contenders', 'upstream.ts'));
  try {
    const [{ port }] = (await once(upstream, 'message')) as [{ port: number }];
    return await profiled({ say, productService: port }, ['gateway'], async shop => {
      const load = {
        ...{ url: `${shop.url}/api/products/live`, connections: 32, duration: seconds },
        headers: { Authorization: `Bearer ${await shop.register()}` },
      };
      return async () => {
        const { requests } = await autocannon(load);
        say(`${requests.total} reads`);
        return requests.total;
      };
    });
  } finally {
    upstream.disconnect();
  }
}

const profileOrders = ({ seconds, say }: ProfileOptions): Promise<Profiled[]> =>
  profiled({ say }, processNames, async shop => {
    const market = await openMarket(shop);
    return async () => {
      const { orders } = await loadOnce(shop, market, { kind: checkoutKinds[0], buyers: 8, seconds });
      say(`${orders} orders`);
      return orders;
    };
  });

/**
 * Runs a load against a shop, once to warm up and once while its processes profile themselves.
 * @param work returns how many requests or orders the load had
 */
async function profiled(
  options: Parameters<typeof startBenchShop>[0],
  names: readonly ProcessName[],
  work: (shop: BenchShop) => Promise<() => Promise<number>>,
): Promise<Profiled[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-profiles-'));
  const profiler = pathToFileURL(join(import.meta.dirname, 'profiler.ts'));
  const shop = await startBenchShop({
    ...options,
    environment: { NODE_OPTIONS: `--import ${profiler}`, PROFILE_DIR: folder },
  });
  try {
    const pids = names.map(name => shop.pidOf(name));
    const toggle = () => {
      for (const pid of pids) process.kill(pid, 'SIGUSR2');
    };
    const load = await work(shop);
    await load();
    toggle();
    const count = await load();
    toggle();
    return await Promise.all(
      names.map(async (process, index) => {
        const profile = await profileIn(join(folder, `${pids[index]}.cpuprofile`));
        const { totalMs, costs } = costsByPlace(profile);
        return { process, ms: totalMs / count, costs };
      }),
    );
  } finally {
    await shop.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const writeLimitMs = 30_000;

/** Waits for a file that may still be on its way. */
async function profileIn(file: string): Promise<CpuProfile> {
  for (const until = performance.now() + writeLimitMs; ; await sleep(100)) {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
  }
}

/** The costs of all processes, as shares of their time together. */
function sumOf(all: readonly Profiled[]): PlaceCost[] {
  const total = all.reduce((sum, { ms }) => sum + ms, 0);
  const byPlace = new Map<string, number>();
  for (const { ms, costs } of all) {
    for (const { place, share } of costs) byPlace.set(place, (byPlace.get(place) ?? 0) + (ms * share) / total);
  }
  return [...byPlace].map(([place, share]) => ({ place, share })).sort((a, b) => b.share - a.share);
}
