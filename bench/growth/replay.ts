import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgress } from '@tradepost/local/replay/progress';
import { type ReplayResult, replay } from '@tradepost/local/replay/replay';
import { agrees, percentile } from '@tradepost/local/replay/report';
import { startBenchServers, startBenchShop } from '../shop.ts';

export interface ReplayInvoicesOptions {
  /** Files as `npm run replay` takes them. */
  catalogue: string;
  orders: string;
  /** Plays only so many, the first of the file. */
  limit?: number;
  say(line: string): void;
}

export interface Replayed {
  orders: number;
  lines: number;
  ordersPerSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

const buyers = 8;

/**
 * Plays orders from files at a fresh shop, as `npm run replay` does.
 * @throws Error when totals or stock do not agree with the files, or an order is missing
 */
export async function replayInvoices({ catalogue, orders, limit, say }: ReplayInvoicesOptions): Promise<Replayed> {
  say('replay: starting');
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-bench-'));
  const servers = await startBenchServers();
  try {
    const shop = await startBenchShop({ say: () => {}, servers });
    try {
      const result = await replay({
        ...{ cataloguePath: catalogue, ordersPath: orders, limit: limit ?? Number.POSITIVE_INFINITY, buyers },
        ...{ url: shop.url, admin: { email: 'admin@tradepost.example', password: servers.adminPassword }, seed: '1' },
        ...{ stateFile: run => join(folder, `${run}.json`), random: Math.random, say: line => say(`replay: ${line}`) },
        startProgress: total => createProgress(process.stderr, total),
      });
      if (!agrees(result)) throw new Error('what was replayed does not agree with the files');
      return figuresOf(result);
    } finally {
      await shop.stop();
    }
  } finally {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function figuresOf({ outcomes, seconds }: ReplayResult): Replayed {
  const times = outcomes.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return {
    orders: outcomes.length,
    lines: outcomes.reduce((sum, { order }) => sum + order.quantities.size, 0),
    ordersPerSecond: outcomes.length / seconds,
    ...{ p50: percentile(times, 0.5), p99: percentile(times, 0.99) },
  };
}
