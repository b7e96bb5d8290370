import { withProgress } from '@tradepost/local/commands/progressBar';
import type { ProcessName } from '@tradepost/local/processes/settings';
import { type Market, openMarket } from '../market.ts';
import { type BenchServers, type BenchShop, startBenchServers, startBenchShop } from '../shop.ts';
import { type Databases, openDatabases } from './databases.ts';
import { generate } from './generate.ts';
import { withoutIndexes } from './indexes.ts';
import { customerPassword, makeTemplates, type Templates } from './templates.ts';

/** A shop with so many orders of the past, on servers of its own. */
export interface Branch {
  name: string;
  /** Stored orders. */
  orders: number;
  shop: Awaited<ReturnType<typeof startBenchShop>>;
  servers: BenchServers;
  databases: Databases;
  templates: Templates;
  customers: readonly { id: string; email: string }[];
  products: readonly string[];
  stop(): Promise<void>;
}

export interface BranchOptions {
  /** Uniform in [0, 1). */
  random: () => number;
  say(line: string): void;
}

/** Over how many days orders are spread. */
export const historyDays = 100;

const withCommas = (count: number): string => count.toLocaleString('en-GB');

/**
 * Starts a shop, has it take a few orders, ends it, stores so many copies of those, and starts it again.
 * @throws Error when MONGOD_BIN or RABBITMQ_SERVER_BIN is not set
 */
export async function openBranch(orders: number, { random, say }: BranchOptions): Promise<Branch> {
  const name = `${withCommas(orders)} orders`;
  say(`${name}: starting`);
  const servers = await startBenchServers();
  let shop: Branch['shop'] | undefined;
  let databases: Databases | undefined;
  const stop = async () => {
    await databases?.close();
    await shop?.stop();
    await servers.stop();
  };
  try {
    shop = await startBenchShop({ say: () => {}, servers });
    const { products } = await openMarket(shop);
    databases = await openDatabases(servers.mongodbUri);
    const templates = await makeTemplates({ shop, databases, mongodbUri: servers.mongodbUri, random });
    await shop.stop();
    const customers = await fill(databases, templates, { orders, name, random, say });
    shop = await startBenchShop({ say: () => {}, servers });
    return { ...{ name, orders, shop, servers, databases, templates, customers, products, stop } };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function fill(
  databases: Databases,
  templates: Templates,
  { orders, name, random, say }: BranchOptions & { orders: number; name: string },
) {
  const began = performance.now();
  const collections = new Set(templates.orders.flatMap(({ rows }) => rows.map(row => row.name)));
  const work = () =>
    withProgress('orders stored', onProgress =>
      generate({ databases, templates, orders, days: historyDays, random, onProgress }),
    );
  const customers = await withoutIndexes(databases, collections, work, line => say(`${name}: ${line}`));
  await databases.flush();
  const mebibytes = Math.round((await databases.storageBytes()) / 2 ** 20);
  say(`${name}: stored in ${((performance.now() - began) / 1_000).toFixed(0)} s, ${withCommas(mebibytes)} MiB on disk`);
  return customers;
}

/** Customers who buy and look at their orders. */
const signedIn = 32;

/** Signs some of the customers in, anew for each measurement: a token lives ten minutes. */
export async function signIn({ shop, customers, products }: Branch): Promise<Market> {
  const step = Math.max(1, Math.floor(customers.length / signedIn));
  const some = Array.from({ length: signedIn }, (_, nth) => customers[(nth * step) % customers.length]!);
  const tokens: string[] = [];
  for (const { email } of some) tokens.push(await logIn(shop, email));
  return { tokens, products: [...products] };
}

async function logIn(shop: Pick<BenchShop, 'send'>, email: string): Promise<string> {
  const { status, body } = await shop.send('POST', '/api/users/login', { body: { email, password: customerPassword } });
  if (status !== 200) throw new Error(`a customer's login was answered by ${status}`);
  return body.accessToken;
}

export const portOf = ({ shop }: Branch, name: ProcessName): number => shop.instances(name)[0]!.port;
