import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type autocannon from 'autocannon';
import { startServer, type TestServer } from '../../tests/real/servers.ts';
import { type CheckoutSample, quantile } from '../checkout.ts';
import { type Contender, cpuSeconds } from '../measure.ts';
import type { GeneratedProduct } from '../products.ts';
import { run } from './install.ts';

/** Another shop, filled and running, to be measured beside ours. */
export interface Peer {
  name: string;
  /** Version and what it runs on. */
  setup: string;
  /** Its own processes, without the database's. */
  pids(): number[];
  /**
   * Places one order of one piece, as a guest.
   * @throws Error when it does not end as the shop's placed order
   */
  buy(order: { buyer: number; turn: number; signal: AbortSignal }): Promise<void>;
  list: Contender;
  detail: Contender;
  stop(): Promise<void>;
}

export interface PeerOptions {
  /** Of this run; removed after it. */
  folder: string;
  /** Port of a PostgreSQL that has a database named like the peer. */
  databasePort: number;
  catalogue: readonly GeneratedProduct[];
  /** File that holds the catalogue. */
  catalogueFile: string;
  say(line: string): void;
}

/** More pieces of each product than will be sold. */
export const plenty = 100_000_000;

const fillLimitMs = 10 * 60_000;
const startLimitMs = 3 * 60_000;

/** A folder in which a peer runs: its installed packages, and our files beside them under the names that it looks for. */
export function makeHome(folder: string, name: string, installed: string, files: Record<string, string>): string {
  const home = join(folder, name);
  mkdirSync(home);
  symlinkSync(join(installed, 'node_modules'), join(home, 'node_modules'));
  copyFileSync(join(installed, 'package.json'), join(home, 'package.json'));
  for (const [from, to] of Object.entries(files)) {
    copyFileSync(join(import.meta.dirname, 'inside', from), join(home, to));
  }
  return home;
}

export interface NodeProgram {
  name: string;
  home: string;
  args: string[];
  environment: Record<string, string>;
}

const production = { NODE_ENV: 'production', LOG_LEVEL: 'warn' };

/** Runs a peer's program to its end. */
export async function runOnce({ name, home, args, environment }: NodeProgram): Promise<void> {
  const env = { PATH: process.env.PATH, HOME: home, ...production, ...environment };
  try {
    await run(process.execPath, args, { cwd: home, env, timeout: fillLimitMs, maxBuffer: 64 * 2 ** 20 });
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string };
    const said = `${stdout ?? ''}\n${stderr ?? ''}`.trim().split('\n').slice(-5).join('\n');
    throw new Error(`${name} failed: ${said || message}`);
  }
}

/** Starts a peer's process and waits until its address answers well. */
export function startNode({ name, home, args, environment }: NodeProgram, url: string): Promise<TestServer> {
  return startServer({
    ...{ setting: name, binary: process.execPath, place: { cwd: home }, startLimitMs, url },
    command: () => ({ args, environment: { ...production, ...environment } }),
    async isUp() {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      if (!answer.ok) throw new Error(`${answer.status}`);
    },
  });
}

/** One request for each product in turn, whichever connection asks. */
export function inTurn(requests: readonly autocannon.Request[]): autocannon.Request[] {
  let turn = 0;
  return [
    {
      ...requests[0],
      setupRequest: request => {
        turn += 1;
        return { ...request, ...requests[turn % requests.length] };
      },
    },
  ];
}

const orderLimitMs = 180_000;
const afterFailureMs = 100;

/** Buyers who order again at once; those who have begun when the time is over end their order, and the time counts until then. */
export async function loadPeer(peer: Peer, { buyers, seconds }: { buyers: number; seconds: number }) {
  const tookMs: number[] = [];
  const others: Record<string, number> = {};
  const [began, cpuBefore] = [performance.now(), cpuSeconds(peer.pids())];
  const end = began + seconds * 1_000;
  let turn = 0;
  const buy = async (buyer: number) => {
    while (performance.now() < end) {
      turn += 1;
      const asked = performance.now();
      try {
        await peer.buy({ buyer, turn, signal: AbortSignal.timeout(orderLimitMs) });
        tookMs.push(performance.now() - asked);
      } catch (error) {
        const what = (error as Error).message.slice(0, 120);
        others[what] = (others[what] ?? 0) + 1;
        await new Promise(resolve => setTimeout(resolve, afterFailureMs));
      }
    }
  };
  await Promise.all(Array.from({ length: buyers }, (_, buyer) => buy(buyer)));
  const [took, cpuAfter] = [(performance.now() - began) / 1_000, cpuSeconds(peer.pids())];
  const sorted = tookMs.sort((a, b) => a - b);
  const sample: CheckoutSample = {
    orders: sorted.length,
    ordersPerSecond: sorted.length / took,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    cpuMsPerOrder:
      cpuBefore === undefined || cpuAfter === undefined || sorted.length === 0
        ? undefined
        : (1_000 * (cpuAfter - cpuBefore)) / sorted.length,
    others,
  };
  return sample;
}
