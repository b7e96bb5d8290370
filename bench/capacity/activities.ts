import { randomUUID } from 'node:crypto';
import type { Activity } from '@tradepost/local/capacity/usage';
import { generateSearches } from '../products.ts';
import { type Customer, type Market, password } from './market.ts';

/** What customers do, each a call that rejects when it does not come out as it should. */
export interface Doings {
  order(lines: number): Promise<void>;
  /** Whatever else than an order. */
  act(activity: Exclude<Activity, 'order' | 'line'>): Promise<void>;
}

const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };

export function createDoings({ client, products, customers }: Market): Doings {
  const searches = generateSearches(500, 1);
  let turn = 0;
  const next = (): Customer => customers[turn % customers.length] as Customer;
  /** Never the same twice, so that nobody has the answer yet. */
  const unique = () => `maxPrice=${1_000_000 + turn}`;

  async function ask(
    expected: number,
    method: string,
    path: string,
    options: Parameters<typeof client.send>[2] = {},
  ): Promise<string> {
    const { status, text } = await client.send(method, path, options);
    // An order that takes longer than its request goes on, and its end is waited for.
    const isAccepted = expected === 201 && status === 202;
    if (status !== expected && !isAccepted) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 200)}`);
    return text;
  }

  /** Takes a customer's next tokens and looks at their orders, as clients do that have just got one. */
  async function takeTokens(customer: Customer, path: string, body: unknown): Promise<void> {
    const tokens = JSON.parse(await ask(200, 'POST', path, { body }));
    customer.token = tokens.accessToken;
    customer.refreshToken = tokens.refreshToken;
    await ask(200, 'GET', '/api/orders?limit=10', { token: customer.token });
  }

  return {
    async order(lines) {
      turn += 1;
      const customer = next();
      const items = Array.from({ length: lines }, (_, line) => ({
        productId: products[(turn * lines + line) % products.length],
        quantity: 1,
      }));
      const body = { items, shippingAddress: address, payment: { token: 'tok_visa' } };
      const text = await ask(201, 'POST', '/api/orders', { token: customer.token, key: randomUUID(), body });
      customer.orderId = JSON.parse(text).id;
    },

    async act(activity) {
      turn += 1;
      const customer = next();
      const product = products[turn % products.length];
      switch (activity) {
        case 'listFromCache':
          return void (await ask(200, 'GET', '/api/products?sort=newest'));
        case 'list':
          return void (await ask(
            200,
            'GET',
            turn % 2 === 0
              ? `/api/products?sort=newest&${unique()}`
              : `/api/products?search=${encodeURIComponent(searches[turn % searches.length] as string)}&${unique()}`,
          ));
        case 'detailFromCache':
          return void (await ask(200, 'GET', `/api/products/${products[0]}`));
        case 'detail':
          return void (await ask(200, 'GET', `/api/products/${product}`));
        case 'stock':
          return void (await ask(200, 'GET', `/api/inventory/${product}`));
        case 'ownOrder':
          return void (await ask(200, 'GET', `/api/orders/${customer.orderId}`, { token: customer.token }));
        case 'signIn':
          return takeTokens(customer, '/api/users/login', { email: customer.email, password });
        case 'refresh':
          return takeTokens(customer, '/api/users/refresh', { refreshToken: customer.refreshToken });
      }
    },
  };
}
