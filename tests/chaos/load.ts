import type { TestAnswer } from '@tradepost/local/testing';
import { maxQuantity } from '@tradepost/shared/contracts/inventory';
import { createPool } from '@tradepost/shared/messaging/pool';
import { attempt, type ShopProcess } from './shopProcess.ts';

/** A request for an order, as its customer remembers it over all crashes. */
export interface Purchase {
  key: string;
  body: unknown;
  token: string;
  /** What the customer does once the order is confirmed. */
  next: 'nothing' | 'cancel' | 'refund' | 'ship';
  /** Cancels while the order is being placed. */
  impatient: boolean;
  /** Whether it was asked for before. */
  asked?: boolean;
  /** The first final answer; undefined while there was none. */
  answer?: TestAnswer | undefined;
  /** The last status that the shop said the order is in, after its answer. */
  told?: string | undefined;
}

export interface World {
  customers: string[];
  /** Who cancels orders that are not placed yet. */
  impatient: string;
  adminToken: string;
  products: string[];
  /** When its tokens were made, in milliseconds since the epoch. */
  since: number;
}

export const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };
const password = 'a long enough password';
const finalStatuses = new Set([201, 402, 409, 422]);
/** More than the orders of a lane take, and less than an order may ask for. */
const plentyOfStock = 90_000;

/** Whether a request for an order has its last answer. */
export const isFinal = (answer: TestAnswer | undefined): answer is TestAnswer =>
  answer !== undefined && finalStatuses.has(answer.status) && answer.body.code !== 'request_in_progress';

/** Customers, an administrator and products. */
export async function populate(
  shop: ShopProcess,
  { customers = 3, products = 4, stock = plentyOfStock } = {},
): Promise<World> {
  const must = async (path: string, body: () => unknown, token?: string) => {
    for (let tries = 1; ; tries += 1) {
      const answer = await attempt(shop, 'POST', path, { body: body(), ...(token ? { token } : {}) });
      if (answer && answer.status < 300) return answer.body;
      const isBusy = !answer || answer.status >= 500;
      if (!isBusy || tries === 30) throw new Error(`${path}: ${answer?.status} ${JSON.stringify(answer?.body)}`);
      await pause(500);
    }
  };
  const { accessToken: adminToken } = await must('/api/users/login', () => {
    return { email: shop.admin.email, password: shop.admin.password };
  });
  const since = Date.now();
  let names = 0;
  const pool = createPool(4);
  const tokens = await Promise.all(
    Array.from({ length: customers + 1 }, () =>
      pool.run(async () => {
        // A new one for each try: nobody knows what became of a request without an answer.
        const body = () => ({ email: `chaos-${since}-${++names}@example.com`, password, name: 'Ada' });
        return (await must('/api/users/register', body)).accessToken as string;
      }),
    ),
  );
  const made = await Promise.all(
    Array.from({ length: products }, () =>
      must('/api/products', () => productOf(`CHAOS-${since}-${++names}`, stock), adminToken),
    ),
  );
  const ids = made.map(product => product.id as string);
  for (const id of ids) {
    while ((await attempt(shop, 'GET', `/api/inventory/${id}`))?.status !== 200) await pause(20);
  }
  const [impatient, ...others] = tokens as [string, ...string[]];
  return { customers: others, impatient, adminToken, products: ids, since };
}

export const openProduct = (shop: ShopProcess, token: string, sku: string, initialStock: number) =>
  attempt(shop, 'POST', '/api/products', { token, body: productOf(sku, initialStock) });

const productOf = (sku: string, initialStock: number) => ({
  ...{ sku, initialStock, name: `Product ${sku}` },
  price: { amount: 250, currency: 'GBP' },
});

/** The body of a request for an order. */
export const orderOf = (items: readonly { productId: string; quantity: number }[], token = 'tok_visa') => ({
  items,
  shippingAddress: address,
  payment: { token },
});

interface Kind {
  token: string;
  next: Purchase['next'];
  impatient?: boolean;
  /** More than there is. */
  excessive?: boolean;
}

const kinds: readonly Kind[] = [
  { token: 'tok_visa', next: 'nothing' },
  { token: 'tok_visa', next: 'cancel' },
  { token: 'tok_visa', next: 'refund' },
  { token: 'tok_visa', next: 'ship' },
  { token: 'tok_declined', next: 'nothing' },
  { token: 'tok_flaky', next: 'nothing' },
  { token: 'tok_timeout', next: 'cancel' },
  { token: 'tok_visa', next: 'nothing', impatient: true },
  { token: 'tok_timeout', next: 'nothing', impatient: true },
  { token: 'tok_visa', next: 'nothing', excessive: true },
];

/** One round of purchases, one of each kind. */
export function plan(world: World, random: () => number, round: string): Purchase[] {
  const any = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  return kinds.map(({ token, next, impatient = false, excessive = false }, n) => {
    const [first = '', second = ''] = [...world.products].sort(() => random() - 0.5);
    const quantity = excessive ? maxQuantity : 1 + Math.floor(random() * 3);
    const items = [
      { productId: first, quantity },
      { productId: second, quantity: 1 },
    ];
    const customer = impatient ? world.impatient : any(world.customers);
    return { key: `${round}-${n}`, token: customer, next, impatient, body: orderOf(items, token) };
  });
}

/** Makes a purchase, or goes on with it after a crash; leaves it without an answer when the shop is gone. */
export async function buy(shop: ShopProcess, world: World, purchase: Purchase): Promise<void> {
  const { key, token, body } = purchase;
  const placing = attempt(shop, 'POST', '/api/orders', { token, body, headers: { 'Idempotency-Key': key } });
  // Only the first time: what is left over after a crash ends by itself.
  if (purchase.impatient && !purchase.asked) await cancelNewest(shop, token);
  purchase.asked = true;
  const answer = await placing;
  if (!isFinal(answer)) return;
  purchase.answer ??= answer;
  if (answer.status === 201) await follow(shop, world, purchase, `/api/orders/${answer.body.id}`);
}

async function follow(shop: ShopProcess, { adminToken }: World, purchase: Purchase, path: string): Promise<void> {
  const { next, key, token } = purchase;
  const act = async (action: string, options: Parameters<typeof attempt>[3]): Promise<void> => {
    const answer = await attempt(shop, 'POST', `${path}/${action}`, options);
    if (answer?.status === 200) purchase.told = answer.body.status;
  };
  if (next === 'refund') {
    const headers = { 'Idempotency-Key': key };
    await act('refund', { token: adminToken, body: { amount: 100, reason: 'scratched' }, headers });
  }
  if (next === 'cancel' || next === 'refund') await act('cancel', { token });
  if (next === 'ship') {
    await act('ship', { token: adminToken, body: { carrier: 'DHL', trackingNumber: key } });
    await act('deliver', { token: adminToken });
  }
}

/** Cancels the customer's order that is still pending, as soon as it shows. */
async function cancelNewest(shop: ShopProcess, token: string): Promise<void> {
  for (let look = 0; look < 10; look += 1) {
    const list = await attempt(shop, 'GET', '/api/orders?limit=5&status=pending', { token });
    const [order] = list?.body.items ?? [];
    if (order) {
      await attempt(shop, 'POST', `/api/orders/${order.id}/cancel`, { token });
      return;
    }
    if (!list) return;
    await pause(25);
  }
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
