import { randomUUID } from 'node:crypto';
import type { Shop } from '@tradepost/local/startShop';
import { send } from '../api/send.ts';
import type { Draw } from './draw.ts';
import type { Target } from './targets.ts';

export const roles = ['anonymous', 'customer', 'stranger', 'admin'] as const;
export type Role = (typeof roles)[number];

interface Account {
  id: string;
  token: string;
}

/** Who calls, and what is there to be called upon. */
export interface World {
  shop: Shop;
  /** Where a service is reached, or the gateway. */
  addressOf(name: string): string;
  /** The token of a role; of somebody who is not needed any more where the call may end the account or its sessions. */
  tokenOf(role: Role, target: Target, draw: Draw): string | undefined;
  /** A value for a parameter of a path; `foreign` when it is the customer's alone. */
  idFor(target: Target, parameter: string, draw: Draw): { id: string; foreign: boolean };
  productId(draw: Draw): string;
  addressId: string;
}

const password = 'a long enough password';
const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };
const unknownId = '01995f6e-7a1c-7000-8000-5d2f3c6b7a19';
/** Calls after which a good token may be good no more. */
const endsSessions = new Set(['deleteMe', 'changePassword', 'endSession']);

/** Fills a shop that runs with a customer's order, payment, address and session, and with others who want them. */
export async function openWorld(shop: Shop): Promise<World> {
  const { url } = shop.ports.gateway;
  const run = randomUUID().slice(0, 8);
  let made = 0;
  const register = async (): Promise<Account & { refreshToken: string }> => {
    made += 1;
    const body = { email: `${run}-${made}@example.com`, password, name: 'Ada' };
    const { body: answer } = await send(url, 'POST', '/api/users/register', { body });
    return { id: answer.user.id, token: answer.accessToken, refreshToken: answer.refreshToken };
  };
  const [customer, stranger, ...spare] = [await register(), await register(), await register(), await register()];
  const { email, password: adminPassword } = shop.admin;
  const signedIn = await send(url, 'POST', '/api/users/login', { body: { email, password: adminPassword } });
  const admin: Account = { id: signedIn.body.user.id, token: signedIn.body.accessToken };
  const products: string[] = (await send(url, 'GET', '/api/products?limit=100')).body.items.map(idOf);
  const variants = await sellable(url, products);

  const orders: string[] = [];
  for (let count = 0; count < 4; count += 1) orders.push((await placeOrder(url, customer.token, variants, count)).id);
  const order = await send(url, 'GET', `/api/orders/${orders[0]}`, { token: customer.token });
  const addressId = (await send(url, 'POST', '/api/users/me/addresses', { token: customer.token, body: address })).body
    .id;
  const login = { body: { email: `${run}-1@example.com`, password } };
  await send(url, 'POST', '/api/users/login', login);
  const sessions = (await send(url, 'GET', '/api/users/me/sessions', { token: customer.token })).body.items;
  const session = sessions.find((one: { current: boolean }) => !one.current)?.id ?? unknownId;

  const tokens = { anonymous: undefined, customer: customer.token, stranger: stranger.token, admin: admin.token };
  const addresses: Record<string, string> = {
    gateway: url,
    ...Object.fromEntries(Object.entries(shop.ports.services).map(([name, port]) => [name, port.address])),
  };
  const own = (target: Target): string[] => {
    if (target.path.startsWith('/api/orders/user')) return [customer.id];
    if (target.path.startsWith('/api/orders') || target.path.startsWith('/api/operations/sagas')) return orders;
    if (target.path.startsWith('/api/payments/{')) return [order.body.payment.id];
    if (target.path.includes('/addresses/')) return [addressId];
    if (target.path.includes('/sessions/')) return [session];
    if (target.id === 'getUser') return [customer.id];
    return [];
  };
  return {
    shop,
    addressOf: name => addresses[name] ?? url,
    tokenOf: (role, target, draw) =>
      role !== 'anonymous' && role !== 'admin' && endsSessions.has(target.id) ? draw.pick(spare).token : tokens[role],
    idFor(target, parameter, draw) {
      if (parameter === 'provider') return { id: draw.pick(['simulated', 'stripe', 'nobody']), foreign: false };
      const mine = own(target);
      if (mine.length > 0 && draw.chance(0.85)) return { id: draw.pick(mine), foreign: true };
      // Nobody whose token the cases need may lose the role that they have.
      if (target.id === 'changeRole') return { id: draw.pick(spare).id, foreign: false };
      if (/products|inventory/.test(target.path) && draw.chance(0.85))
        return { id: draw.pick(products), foreign: false };
      return { id: unknownId, foreign: false };
    },
    productId: draw => draw.pick(variants),
    addressId,
  };
}

const idOf = (one: { id: string }) => one.id;

/** Products that can be ordered: those with stock of their own. */
async function sellable(url: string, products: readonly string[]): Promise<string[]> {
  const { body } = await send(url, 'GET', `/api/inventory?productIds=${products.slice(0, 50).join(',')}`);
  return (body.items as { productId: string; available: number }[])
    .filter(stock => stock.available > 10)
    .map(stock => stock.productId);
}

async function placeOrder(url: string, token: string, products: readonly string[], count: number) {
  const { body } = await send(url, 'POST', '/api/orders', {
    token,
    headers: { 'Idempotency-Key': `world-${count}` },
    body: {
      items: [{ productId: products[count], quantity: 1 }],
      shippingAddress: address,
      payment: { token: 'tok_visa' },
    },
  });
  return body as { id: string };
}
