import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  /** Settings of all processes beside those of a shop that is measured. */
  environment?: Record<string, string>;
}

/** No request is refused for its number: the limits of one address would be those of the load's. */
const limits = { AUTH_RATE_LIMIT: '1000000', RATE_LIMIT_PER_MINUTE: '100000000', LOG_LEVEL: 'info' };

/** Whether MONGOD_BIN and RABBITMQ_SERVER_BIN name servers to measure on. */
export const hasServers = (): boolean => Boolean(process.env.MONGOD_BIN && process.env.RABBITMQ_SERVER_BIN);

/**
 * Six processes on a MongoDB and a RabbitMQ of their own.
 * @throws Error when MONGOD_BIN or RABBITMQ_SERVER_BIN is not set
 */
export async function startBenchShop({ productService, environment, say }: BenchShopOptions): Promise<BenchShop> {
  say('starting MongoDB, RabbitMQ and six processes');
  const servers = await Promise.all([startMongod(), startRabbit()]);
  const [mongod, rabbit] = servers;
  const stopServers = () => Promise.all(servers.map(server => server.close()));
  try {
    const shop = await startRealShop({
      ...{ mongodbUri: mongod.url, rabbitmqUrl: rabbit.url, isHurried: false },
      environment: { ...limits, ...environment },
      ...(productService === undefined ? {} : { openDoors: async () => ({ 'product-service': productService }) }),
    });
    const pids = (name?: ProcessName) => shop.instances(name).flatMap(one => one.process.pid() ?? []);
    return {
      ...{ name: 'MongoDB and RabbitMQ', url: shop.url, pids: () => pids(), pidOf: name => pids(name)[0] as number },
      ...{ send: shop.send, register: shop.register, adminToken: shop.adminToken },
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
export async function startEmbeddedShop({ say }: BenchShopOptions): Promise<BenchShop & { readyMs: number }> {
  say('starting the shop as npm start does');
  const folder = mkdtempSync(join(tmpdir(), 'tradepost-bench-'));
  // Eight ports one after the other, of which nobody has the first.
  const [port] = await freePorts(1);
  const admin = { email: 'admin@tradepost.example', password: 'the bench is not a secret' };
  const began = performance.now();
  // As `npm start` does: seven parts in one process would else take 40 MB more for their youngest objects.
  const script = ['--max-semi-space-size=8', join(import.meta.dirname, '..', 'local', 'start.ts')];
  const child: ChildProcess = spawn(process.execPath, script, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, GATEWAY_PORT: String(port), DATA_DIR: folder },
      ...{ ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password, ...limits },
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
