import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Secrets } from '@tradepost/local/dataFolder';
import { type Fleet, type FleetOptions, type Instance, startFleet } from '@tradepost/local/processes/fleet';
import { placeInstances } from '@tradepost/local/processes/ports';
import { readProcessSettings } from '@tradepost/local/processes/settings';
import { seedDemo } from '@tradepost/local/seed';
import { send, type TestAnswer } from '@tradepost/local/testing';
import { serviceNames } from '@tradepost/shared/discovery';

/** The shop as processes on real servers. */
export interface RealShop {
  url: string;
  fleet: Fleet;
  /** Instances of a service, or all. */
  instances(service?: Instance['service']): Instance[];
  send(method: string, path: string, options?: Parameters<typeof send>[3]): Promise<TestAnswer>;
  register(): Promise<string>;
  adminToken(): Promise<string>;
  /** What all processes logged last: warnings and worse. */
  log(): string;
  /** What was answered by 500, as logged. */
  ownFaults(): string[];
  stop(): Promise<void>;
}

export interface RealShopOptions {
  mongodbUri: string;
  rabbitmqUrl: string;
  consulUrl?: string;
  /** As `npm run services` takes it. */
  scale?: string;
  environment?: Record<string, string>;
  /** Those of an earlier start on the same databases; made up without them. */
  secrets?: Partial<Secrets>;
  adminPassword?: string;
  /** False for the times that a real shop has; otherwise leases, retries and sweeps are those that let tests see in seconds. */
  isHurried?: boolean;
  /** Puts something between the services: gets their ports, returns those at which they are to be found. */
  openDoors?(ports: Readonly<Record<string, number>>): Promise<Partial<Record<Instance['service'], number>>>;
  /** Folder of the release that an instance runs. */
  rootOf?: FleetOptions['rootOf'];
}

const readyLimitMs = 60_000;

/** Times that let tests see in seconds what takes longer in a real shop. */
const hurried = {
  ORDER_WAIT_MS: '3000',
  SAGA_LEASE_MS: '3000',
  SAGA_POLL_MS: '200',
  PROVIDER_TIMEOUT_MS: '1000',
  PAYMENT_SWEEP_MS: '200',
  PAYMENT_RETRY_MAX_MS: '1000',
  BREAKER_RESET_MS: '1000',
};

/** Starts the shop with the demo catalogue on free ports, and waits until it is ready. */
export async function startRealShop(options: RealShopOptions): Promise<RealShop> {
  const admin = {
    email: 'admin@tradepost.example',
    password: options.adminPassword ?? randomBytes(12).toString('base64url'),
  };
  const settings = readProcessSettings(
    {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
      ...{ MONGODB_URI: options.mongodbUri, RABBITMQ_URL: options.rabbitmqUrl, CONSUL_URL: options.consulUrl ?? '' },
      ...{ GATEWAY_PORT: '0', LOG_LEVEL: 'warn', AUTH_RATE_LIMIT: '1000000', RATE_LIMIT_PER_MINUTE: '1000000' },
      ...(options.isHurried === false ? {} : hurried),
      ...options.environment,
    },
    options.scale ? ['--scale', options.scale] : [],
  );
  const secret = () => randomBytes(32).toString('hex');
  const secrets = { serviceTokenSecret: secret(), tokenKeySecret: secret(), ...options.secrets };
  const places = await placeInstances(0, settings.scale);
  const [lines, faults]: [string[], string[]] = [[], []];
  const ports = Object.fromEntries(places.map(place => [place.service, place.port]));
  const doors = (await options.openDoors?.(ports)) ?? {};
  const { rootOf } = options;
  const fleet = startFleet(
    { settings, places, doors, admin, secrets, ...(rootOf ? { rootOf } : {}) },
    place => text => {
      if (text.includes('"code":"internal_error"')) faults.push(`${place.name}: ${text.slice(0, 3_000)}`);
      lines.push(`${place.name}: ${text.slice(0, 600)}`);
      if (lines.length > 400) lines.shift();
    },
  );
  const portOf = (service: string) => places.find(place => place.service === service)?.port;
  const url = `http://127.0.0.1:${portOf('gateway')}`;
  const ask = (method: string, path: string, request?: Parameters<typeof send>[3]) => send(url, method, path, request);
  let customers = 0;
  const token = async (path: string, body: unknown): Promise<string> => {
    const answer = await ask('POST', path, { body });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.accessToken;
  };
  try {
    await fleet.ready(readyLimitMs);
    await seedDemo({ folder: undefined, admin, addressOf: name => `http://127.0.0.1:${portOf(name)}` });
  } catch (error) {
    await fleet.stop();
    throw new Error(`${(error as Error).message}\n${lines.slice(-30).join('\n')}`);
  }
  return {
    url,
    fleet,
    instances: service => fleet.instances.filter(one => service === undefined || one.service === service),
    send: ask,
    register() {
      customers += 1;
      const email = `customer-${customers}-${randomBytes(4).toString('hex')}@example.com`;
      return token('/api/users/register', { email, password: 'a long enough password', name: 'Ada' });
    },
    adminToken: () => token('/api/users/login', admin),
    ownFaults: () => faults,
    log: () => lines.slice(-60).join('\n'),
    stop: fleet.stop,
  };
}

/** The value of a metric of an instance, summed over its labels; undefined while it does not answer. */
export async function metricOf(instance: Instance, name: string): Promise<number | undefined> {
  const port = instance.metricsPort ?? instance.port;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2_000) });
    const found = [...(await response.text()).matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'gm'))];
    return found.length === 0 ? undefined : found.reduce((sum, [, value]) => sum + Number(value), 0);
  } catch {
    return undefined;
  }
}

/** Whether an instance says that it is ready. */
export const isReady = async ({ port }: Instance): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
    answer => answer.ok,
    () => false,
  );

/**
 * Begins to count the time in which the machine had no processor for the shop: that is no fault of the shop's.
 * @returns tells the milliseconds, of the process that waited longest, so far; 0 where the system does not tell
 */
export function countWaiting(shop: Pick<RealShop, 'instances'>): () => number {
  const waited = () =>
    new Map(shop.instances().map(({ name, process: { pid } }) => [`${name} ${pid()}`, waitedMs(pid())]));
  const before = waited();
  return () => Math.max(0, ...[...waited()].map(([name, ms]) => ms - (before.get(name) ?? 0)));
}

/** Milliseconds that the main thread of a process was ready to run and did not (the second figure of schedstat). */
function waitedMs(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * Repeats a look until it is so.
 * @param waiting time that does not count, in milliseconds
 * @throws what `describe` says after `limitMs`
 */
export async function until(
  look: () => Promise<boolean> | boolean,
  limitMs: number,
  describe: () => unknown = () => '',
  waiting: () => number = () => 0,
): Promise<number> {
  const started = performance.now();
  for (;;) {
    if (await look()) return performance.now() - started;
    if (performance.now() - started - waiting() > limitMs) {
      throw new Error(`not so after ${limitMs} ms: ${JSON.stringify(await describe())}`);
    }
    await sleep(100);
  }
}

/**
 * What must hold once a fault is over: the books are clean without patience for unfinished work, no order is pending, and
 * no service has a message that waits.
 * @returns milliseconds that it took; those in which the shop waited for a processor do not count for the limit
 */
export async function settled(shop: RealShop, limitMs: number): Promise<number> {
  const token = await firstOf(() => shop.adminToken());
  let seen: unknown;
  return until(
    async () => {
      const audit = await shop.send('GET', '/api/operations/audit?patienceMs=0', { token }).catch(() => undefined);
      const pending = await shop.send('GET', '/api/orders?status=pending&limit=1', { token }).catch(() => undefined);
      const depths = await Promise.all(
        shop
          .instances()
          .filter(one => serviceNames.some(name => name === one.service))
          .map(one => metricOf(one, 'outbox_depth')),
      );
      const waiting = depths.filter(depth => depth !== undefined).reduce((sum, depth) => sum + depth, 0);
      const open = pending?.body.items?.length;
      seen = { audit: audit?.body.findings?.slice(0, 5) ?? audit?.status, open, waiting };
      return audit?.body.clean === true && open === 0 && waiting === 0;
    },
    limitMs,
    () => [seen, shop.log()],
    countWaiting(shop),
  );
}

/** The first answer that comes without an error, within 30 s. */
async function firstOf<T>(ask: () => Promise<T>): Promise<T> {
  let answer: { value: T } | undefined;
  await until(async () => {
    answer = await ask().then(
      value => ({ value }),
      () => undefined,
    );
    return answer !== undefined;
  }, 30_000);
  return answer!.value;
}
