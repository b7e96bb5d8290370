import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { readSettings, type ShopSettings } from '@tradepost/local/settings';
import { type Shop, startShop } from '@tradepost/local/startShop';
import type { TestAnswer } from '@tradepost/local/testing';
import { send } from '../api/send.ts';

/**
 * A shop for the tests of one file: in memory, on free ports, with the demo catalogue, without limits that tests meet. Or
 * the one that runs at TEST_SHOP_URL, which must be such a shop too, with TEST_SHOP_ADMIN as `email:password`: of that one
 * only the gateway can be reached.
 */
export async function startTestShop(settings: Partial<ShopSettings> = {}): Promise<TestShop> {
  const log: string[] = [];
  const { TEST_SHOP_URL: url, TEST_SHOP_ADMIN: admin } = process.env;
  if (url !== undefined && admin !== undefined) {
    const shop = elsewhere(url, admin);
    return { ...shop, url, log, ...clientOf(url, shop, randomBytes(4).toString('hex')) };
  }
  const environment = {
    AUTH_RATE_LIMIT: '1000000',
    RATE_LIMIT_PER_MINUTE: '1000000',
    ...settings.environment,
  };
  const shop = await startShop(
    { ...readSettings(environment, ['--memory']), gatewayPort: 0, ...settings, environment },
    line => log.push(line),
  );
  after(() => shop.stop());
  return { ...shop, url: shop.ports.gateway.url, log, ...clientOf(shop.ports.gateway.url, shop) };
}

export type TestShop = Shop & {
  url: string;
  /** What the shop logged: warnings and worse. */
  log: string[];
} & ReturnType<typeof clientOf>;

function elsewhere(url: string, credentials: string): Shop {
  const [, email = '', password = ''] = /^([^:]+):(.*)$/.exec(credentials) ?? [];
  const gateway = { url, address: url, port: Number(new URL(url).port), serve() {}, async close() {} };
  const hidden = (): never => {
    throw new Error('only the gateway of a shop that runs elsewhere can be reached');
  };
  const ports: Shop['ports'] = {
    gateway,
    get services() {
      return hidden();
    },
    get gatewayMetrics() {
      return hidden();
    },
    get store() {
      return hidden();
    },
  };
  return { ports, mongodbUri: '', admin: { email, password, isNew: false }, seeded: 0, async stop() {} };
}

export interface Customer {
  id: string;
  email: string;
  token: string;
}

export const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };

/** @param run makes customers differ from those of others at the same shop */
function clientOf(url: string, shop: Pick<Shop, 'admin'>, run = 'test') {
  let customers = 0;
  let keys = 0;
  const nextKey = () => {
    keys += 1;
    return `key-${keys}`;
  };
  const request = (method: string, path: string, options?: Parameters<typeof send>[3]) =>
    send(url, method, path, options);
  const productBySku = async (sku: string): Promise<{ id: string; price: { amount: number } }> =>
    (await request('GET', `/api/products?sku=${sku}`)).body.items[0];
  return {
    send: request,
    productBySku,
    async register(): Promise<Customer> {
      customers += 1;
      const email = `customer-${customers}.${run}@example.com`;
      const answer = await request('POST', '/api/users/register', {
        body: { email, password: 'a long enough password', name: 'Ada' },
      });
      return { id: answer.body.user.id, email, token: answer.body.accessToken };
    },
    async adminToken(): Promise<string> {
      const { email, password } = shop.admin;
      return (await request('POST', '/api/users/login', { body: { email, password } })).body.accessToken;
    },
    async stockOf(productId: string): Promise<{ onHand: number; reserved: number; available: number }> {
      return (await request('GET', `/api/inventory/${productId}`)).body;
    },
    order,
    /** The same until the order is decided, however slow the machine is: repeating the key leads to its end. */
    orderToEnd(token: string, items: Items, options: { payment?: string } = {}): Promise<TestAnswer> {
      const key = nextKey();
      const isDecided = ({ status, body }: TestAnswer) =>
        status !== 202 && status < 500 && body.code !== 'request_in_progress';
      return eventually(() => order(token, items, { ...options, key }), isDecided, 60_000);
    },
  };

  /** Places an order with a key of its own unless one is given. */
  function order(token: string, items: Items, options: { payment?: string; key?: string } = {}): Promise<TestAnswer> {
    return request('POST', '/api/orders', {
      token,
      headers: { 'Idempotency-Key': options.key ?? nextKey() },
      body: { items, shippingAddress: address, payment: { token: options.payment ?? 'tok_visa' } },
    });
  }
}

type Items = { productId: string; quantity: number }[];

/** Repeats a look until it satisfies `isDone`; for what follows by message or worker. @throws after `limitMs` */
export async function eventually<T>(
  look: () => Promise<T>,
  isDone: (seen: T) => boolean,
  limitMs = 10_000,
): Promise<T> {
  const until = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (isDone(seen)) return seen;
    if (performance.now() > until) throw new Error(`not so after ${limitMs} ms: ${JSON.stringify(seen)}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
