import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { send, type TestAnswer } from '@tradepost/local/testing';
import { frozen, type Orders } from './failpoints.ts';

export interface ShopProcess {
  url: string;
  admin: { email: string; password: string };
  mongodbUri: string;
  process: ChildProcess;
  /** Resolves when the process is gone. */
  gone: Promise<void>;
  isGone(): boolean;
  /** Resolves when the process has stopped at a point from now on; it goes on by SIGCONT. */
  frozen(): Promise<void>;
  order(orders: Orders): void;
  kill(): Promise<void>;
  /** The end of what it wrote to its log. */
  log(): string;
}

export interface ShopProcessOptions {
  /** Settings beside those that make faults heal quickly. */
  settings?: Record<string, string>;
  /** What it does at its points from the start. */
  orders?: Orders;
  seed?: number;
}

/** The shop was killed before it was ready, as its orders said. */
export class KilledWhileStartingError extends Error {}

const memory = '/dev/shm';
const enoughBytes = 2 ** 30;

/** In memory where there is room: a killed process takes nothing along that the system has, on a disk or not. */
function scratch(): string {
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > enoughBytes ? memory : tmpdir();
}

/** Makes a folder for data, which the caller removes. */
export const scratchFolder = (): string => mkdtempSync(join(scratch(), 'tradepost-chaos-'));

/** Times in milliseconds after which what a dead or frozen process held is free again. */
export const leaseMs = 1_000;

/**
 * Starts the shop on a data folder, on free ports.
 * @throws KilledWhileStartingError; an Error with what it wrote when it ends for another reason before it is ready
 */
export async function startShopProcess(
  dataDir: string,
  { settings = {}, orders = {}, seed = 1 }: ShopProcessOptions = {},
): Promise<ShopProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'chaosShop.ts')], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Ctrl-C is for who runs the trials; the shop ends with that process.
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache'),
      CHAOS_ORDERS: JSON.stringify(orders),
      CHAOS_SEED: String(seed),
      DATA_DIR: dataDir,
      GATEWAY_PORT: '0',
      SEED_DEMO: 'false',
      LOG_LEVEL: 'error',
      AUTH_RATE_LIMIT: '1000000',
      RATE_LIMIT_PER_MINUTE: '1000000',
      ORDER_WAIT_MS: '2000',
      SAGA_LEASE_MS: String(leaseMs),
      SAGA_POLL_MS: '100',
      RELAY_CLAIM_MS: String(leaseMs),
      HOLD_TTL_MS: String(leaseMs),
      HOLD_SWEEP_INTERVAL_MS: '100',
      PROVIDER_TIMEOUT_MS: '300',
      PAYMENT_SWEEP_MS: '100',
      PAYMENT_RETRY_MAX_MS: '200',
      ...settings,
    },
  });
  let log = '';
  child.stderr?.on('data', chunk => {
    log = (log + chunk).slice(-20_000);
  });
  const gone = once(child, 'close').then(() => {});
  let isGone = false;
  let tellFrozen = () => {};
  void gone.then(() => {
    isGone = true;
  });
  const ready = new Promise<Pick<ShopProcess, 'url' | 'admin' | 'mongodbUri'>>(resolve => {
    child.on('message', message => (message === frozen ? tellFrozen() : resolve(message as never)));
  });
  const started = await Promise.race([ready, gone.then(() => undefined)]);
  if (!started) {
    throw child.signalCode === 'SIGKILL' ? new KilledWhileStartingError() : new Error(`the shop did not start: ${log}`);
  }
  return {
    ...started,
    process: child,
    gone,
    isGone: () => isGone,
    frozen: () =>
      new Promise(resolve => {
        tellFrozen = resolve;
      }),
    order: orders => child.send(orders, () => {}),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    log: () => log,
  };
}

/** A request whose answer may never come: undefined then. */
export async function attempt(
  shop: Pick<ShopProcess, 'url'>,
  method: string,
  path: string,
  options?: Parameters<typeof send>[3],
): Promise<TestAnswer | undefined> {
  try {
    return await send(shop.url, method, path, options);
  } catch {
    return undefined;
  }
}
