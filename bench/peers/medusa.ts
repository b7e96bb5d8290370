import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts, startServer, type TestServer } from '../../tests/real/servers.ts';
import { install } from './install.ts';
import { inTurn, makeHome, type Peer, type PeerOptions, runOnce, startNode } from './peer.ts';

const version = '2.21.2';

const packages = { '@medusajs/medusa': version, '@medusajs/framework': version, '@medusajs/cli': version };
const files = { 'medusa-config.cjs': 'medusa-config.js', 'medusa-fill.cjs': 'fill.js' };

/** What the filling of its database leaves for the buyers. */
interface Filled {
  region: string;
  key: string;
  option: string;
  products: string[];
  variants: string[];
}

/**
 * As Medusa's guide to production has it, on Redis with a server and a worker, when there is a Redis: REDIS_SERVER_BIN, or
 * `redis-server` on the path. Without one: one process, and in its memory what would be in Redis.
 */
export async function startMedusa({ folder, databasePort, catalogueFile, say }: PeerOptions): Promise<Peer> {
  const installed = await install('medusa', packages, say);
  const home = makeHome(folder, 'medusa', installed, files);
  const processes: TestServer[] = [];
  const [port, workerPort] = await freePorts(2);
  const redis = await startRedis();
  const stop = async () => {
    await Promise.all(processes.map(one => one.close()));
    await redis?.close();
  };
  const result = join(home, 'filled.json');
  const program = (name: string, args: string[], mode = 'shared') => ({
    ...{ name: `Medusa's ${name}`, home, args: [join('node_modules', '@medusajs', 'cli', 'cli.js'), ...args] },
    environment: {
      ...{ DATABASE_URL: `postgres://postgres@127.0.0.1:${databasePort}/medusa`, SECRET: secret },
      ...{ CATALOGUE: catalogueFile, RESULT: result, MEDUSA_DISABLE_TELEMETRY: 'true', WORKER_MODE: mode },
      ...(redis ? { REDIS_URL: redis.url } : {}),
    },
  });
  const server = (name: string, at: number, mode: string) =>
    startNode(
      program(name, ['start', '--port', String(at), '--host', '127.0.0.1'], mode),
      `http://127.0.0.1:${at}/health`,
    );
  try {
    say('filling Medusa');
    await runOnce(program('migration', ['db:migrate']));
    await runOnce(program('filling', ['exec', './fill.js']));
    const filled = JSON.parse(readFileSync(result, 'utf8')) as Filled;
    say(`starting Medusa: ${redis ? 'Redis, a server and a worker' : 'one process, for there is no Redis'}`);
    processes.push(await server('server', port!, redis ? 'server' : 'shared'));
    if (redis) processes.push(await server('worker', workerPort!, 'worker'));
    const url = `http://127.0.0.1:${port}`;
    const headers = { 'x-publishable-api-key': filled.key };
    const query = `region_id=${filled.region}&fields=id,title,handle,description,*variants.calculated_price`;
    const list = `/store/products?limit=20&${query}`;
    const details = filled.products.map(id => `/store/products/${id}?${query}`);
    await check(url, headers, list, details[0]!);
    return {
      name: 'Medusa',
      setup: `Medusa ${version}: ${redis ? 'a server and a worker, on Redis' : 'one process for server and worker, without Redis'}`,
      pids: () => processes.flatMap(one => one.pid() ?? []),
      buy: ({ buyer, turn, signal }) =>
        buy(url, filled, filled.variants[turn % filled.variants.length]!, buyer, signal),
      list: { name: 'Medusa', url: url + list, headers, pids: [] },
      detail: {
        ...{ name: 'Medusa', url, pids: [] },
        requests: inTurn(details.map(path => ({ method: 'GET', path, headers }))),
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const secret = randomBytes(24).toString('hex');

async function startRedis(): Promise<TestServer | undefined> {
  const binary = process.env.REDIS_SERVER_BIN || 'redis-server';
  if (spawnSync(binary, ['--version']).error) return undefined;
  const [port] = await freePorts(1);
  return startServer({
    ...{ setting: 'REDIS_SERVER_BIN', binary, url: `redis://127.0.0.1:${port}` },
    command: folder => ({ args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder] }),
    isUp: () =>
      new Promise((resolve, reject) => {
        const socket = connect(port!, '127.0.0.1', () => resolve(socket.end()));
        socket.once('error', reject);
      }),
  });
}

/** That the reads answer what is to be compared: products with their prices. */
async function check(url: string, headers: Record<string, string>, list: string, detail: string): Promise<void> {
  const read = async (path: string) =>
    (await fetch(url + path, { headers, signal: AbortSignal.timeout(30_000) })).json();
  const [{ products }, { product }] = (await Promise.all([read(list), read(detail)])) as [
    { products: MedusaProduct[] },
    { product: MedusaProduct },
  ];
  const isPriced = (one: MedusaProduct) => one.variants[0]?.calculated_price.calculated_amount !== undefined;
  if (products.length !== 20 || ![...products, product].every(isPriced)) throw new Error('Medusa lists no prices');
}

interface MedusaProduct {
  variants: { calculated_price: { calculated_amount?: number } }[];
}

async function buy(url: string, filled: Filled, variant: string, buyer: number, signal: AbortSignal): Promise<void> {
  // biome-ignore lint/suspicious/noExplicitAny: each call has an answer of its own shape
  const post = async (path: string, body: object = {}): Promise<any> => {
    const response = await fetch(`${url}/store/${path}`, {
      ...{ method: 'POST', signal, body: JSON.stringify(body) },
      headers: { 'Content-Type': 'application/json', 'x-publishable-api-key': filled.key },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path.replace(/[a-z_]+_[0-9A-Z]{26}/, ':id')}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const { cart } = await post('carts', { region_id: filled.region });
  await post(`carts/${cart.id}/line-items`, { variant_id: variant, quantity: 1 });
  await post(`carts/${cart.id}`, {
    email: `buyer-${buyer}@example.com`,
    shipping_address: {
      ...{ first_name: 'Ada', last_name: 'Byron', address_1: '12 Mill Lane' },
      ...{ city: 'York', postal_code: 'YO1 7HH', country_code: 'gb' },
    },
  });
  await post(`carts/${cart.id}/shipping-methods`, { option_id: filled.option });
  const { payment_collection: payment } = await post('payment-collections', { cart_id: cart.id });
  await post(`payment-collections/${payment.id}/payment-sessions`, { provider_id: 'pp_system_default' });
  const placed = await post(`carts/${cart.id}/complete`);
  if (placed.type !== 'order') throw new Error(`no order: ${JSON.stringify(placed.error)}`);
}
