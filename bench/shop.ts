import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Secrets } from '@tradepost/local/dataFolder';
import { youngObjects } from '@tradepost/local/processes/keepRunning';
import type { ProcessName } from '@tradepost/local/processes/settings';
import { send } from '@tradepost/local/testing';
import { type RealShop, startRealShop } from '../tests/real/realShop.ts';
import { freePorts, startMongod, startRabbit } from '../tests/real/servers.ts';

/** A shop to be measured, with everything on that is on by default. */
export interface BenchShop {
  name: string;
  url: string;
  /** All processes of the shop's own: the services, or the one of `npm start`. */
  pids(): number[];
  pidOf(process: ProcessName): number;
  send: RealShop['send'];
  register(): Promise<string>;
  adminToken(): Promise<string>;
  stop(): Promise<void>;
}

export interface BenchShopOptions {
  say(line: string): void;
  /** Port of what answers in the place of product-service. */
  productService?: number;
  /** Settings beside those of every benchmark. */
  environment?: Record<string, string>;
  /** Servers that outlive the shop; it has its own without. */
  servers?: BenchServers;
}

/** A MongoDB and a RabbitMQ, and what a shop has to know to be started on them again. */
export interface BenchServers {
  mongodbUri: string;
  rabbitmqUrl: string;
  secrets: Secrets;
  adminPassword: string;
  stop(): Promise<void>;
}

/** No request is refused for its number: the limits of one address would be those of the load's. */
const limits = { AUTH_RATE_LIMIT: '1000000', RATE_LIMIT_PER_MINUTE: '100000000' };

/** Whether MONGOD_BIN and RABBITMQ_SERVER_BIN name servers to measure on. */
export const hasServers = (): boolean => Boolean(process.env.MONGOD_BIN && process.env.RABBITMQ_SERVER_BIN);

/** @throws Error when MONGOD_BIN or RABBITMQ_SERVER_BIN is not set */
export async function startBenchServers(): Promise<BenchServers> {
  const secret = () => randomBytes(32).toString('hex');
  const servers = await Promise.all([startMongod(), startRabbit()]);
  const [mongod, rabbit] = servers;
  return {
    ...{ mongodbUri: mongod.url, rabbitmqUrl: rabbit.url, adminPassword: secret() },
    secrets: { serviceTokenSecret: secret(), tokenKeySecret: secret() },
    async stop() {
      await Promise.all(servers.map(server => server.close()));
    },
  };
}

/**
 * Six processes on a MongoDB and a RabbitMQ of their own.
 * @throws Error when MONGOD_BIN or RABBITMQ_SERVER_BIN is not set
 */
export async function startBenchShop(
  options: BenchShopOptions,
): Promise<BenchShop & { instances: RealShop['instances'] }> {
  const { productService, say, environment } = options;
  say(`starting ${options.servers ? '' : 'MongoDB, RabbitMQ and '}six processes`);
  const servers = options.servers ?? (await startBenchServers());
  const stopServers = async () => {
    if (!options.servers) await servers.stop();
  };
  try {
    const shop = await startRealShop({
      ...servers,
      ...{ environment: { ...limits, LOG_LEVEL: 'info', ...environment }, isHurried: false },
      ...(productService === undefined ? {} : { openDoors: async () => ({ 'product-service': productService }) }),
    });
    const pids = (name?: ProcessName) => shop.instances(name).flatMap(one => one.process.pid() ?? []);
    return {
      ...{ name: 'MongoDB and RabbitMQ', url: shop.url, pids: () => pids(), pidOf: name => pids(name)[0] as number },
      ...{ send: shop.send, register: shop.register, adminToken: shop.adminToken, instances: shop.instances },
      async stop() {
        await shop.stop();
        await stopServers();
      },
    };
  } catch (error) {
    await stopServers();
    throw error;
  }
}

const readyLimitMs = 60_000;

/** `npm start` as it is: one process on the embedded store and broker, whose data is on disk. */
export async function startEmbeddedShop({
  say,
  environment,
}: BenchShopOptions): Promise<BenchShop & { readyMs: number }> {
  say('starting the shop as npm start does');
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-bench-'));
  // Eight ports one after the other, of which nobody has the first.
  const [port] = await freePorts(1);
  const admin = { email: 'admin@tradepost.example', password: 'the bench is not a secret' };
  const began = performance.now();
  const script = [youngObjects, join(import.meta.dirname, '..', 'local', 'start.ts')];
  const child: ChildProcess = spawn(process.execPath, script, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, GATEWAY_PORT: String(port), DATA_DIR: folder },
      ...{ ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password, ...limits, ...environment },
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/health/ready`).then(
      answer => answer.ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`npm start ended with code ${child.exitCode}`);
    if (performance.now() - began > readyLimitMs) throw new Error('npm start is not ready');
    await sleep(20);
  }
  const readyMs = performance.now() - began;
  const token = async (path: string, body: unknown): Promise<string> =>
    (await send(url, 'POST', path, { body })).body.accessToken;
  let customers = 0;
  return {
    ...{ name: 'npm start', url, readyMs, pids: () => [child.pid as number], pidOf: () => child.pid as number },
    send: (method, path, request) => send(url, method, path, request),
    register() {
      customers += 1;
      const email = `customer-${customers}@example.com`;
      return token('/api/users/register', { email, password: 'a long enough password', name: 'Ada' });
    },
    adminToken: () => token('/api/users/login', admin),
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
