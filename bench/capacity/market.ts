import { setTimeout as sleep } from 'node:timers/promises';
import { generateProducts } from '../products.ts';
import { type Client, createClient } from './client.ts';
import type { MeasuredShop } from './shop.ts';

/** Who buys and what there is. */
export interface Market {
  client: Client;
  products: string[];
  customers: Customer[];
  admin: string;
}

export interface Customer {
  email: string;
  token: string;
  refreshToken: string;
  /** Their newest order. */
  orderId: string;
}

export const password = 'a long enough password';
const [productCount, customerCount, plenty] = [1_000, 40, 100_000_000];
const openLimitMs = 60_000;

/** Fills a shop with products that are never sold out, and customers. */
export async function openMarket(measured: MeasuredShop): Promise<Market> {
  const client = createClient(measured.url);
  const admin = await measured.shop.adminToken();
  const rows = [...generateProducts(productCount, 1)].map(row => JSON.stringify({ ...row, initialStock: plenty }));
  // Not through the client, whose bodies are JSON.
  const imported = await fetch(`${measured.url}/api/products/import`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/x-ndjson' },
    body: rows.join('\n'),
  });
  const { created } = (await imported.json()) as { created?: number };
  if (created !== productCount) throw new Error(`the catalogue was not imported: ${imported.status}`);
  const products = await readProducts(client);
  await untilStocked(client, products);
  const customers: Customer[] = [];
  for (let n = 0; n < customerCount; n += 1) {
    const email = `capacity-${n}@example.com`;
    const answer = await client.send('POST', '/api/users/register', { body: { email, password, name: 'Ada' } });
    const { accessToken, refreshToken } = JSON.parse(answer.text);
    customers.push({ email, token: accessToken, refreshToken, orderId: '' });
  }
  return { client, products, customers, admin };
}

/** Those of the import, not those of the demo, of which there are few pieces. */
async function readProducts(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null | undefined = ''; cursor !== null && cursor !== undefined; ) {
    const { text } = await client.send('GET', `/api/products?limit=100${cursor ? `&cursor=${cursor}` : ''}`);
    const page = JSON.parse(text) as { items: { id: string; sku: string }[]; nextCursor?: string | null };
    ids.push(...page.items.filter(({ sku }) => sku.startsWith('GEN-')).map(({ id }) => id));
    cursor = page.nextCursor;
  }
  return ids;
}

async function untilStocked(client: Client, products: readonly string[]): Promise<void> {
  for (const until = performance.now() + openLimitMs; ; await sleep(200)) {
    let open = 0;
    for (let start = 0; start < products.length; start += 100) {
      const { text } = await client.send(
        'GET',
        `/api/inventory?productIds=${products.slice(start, start + 100).join(',')}`,
      );
      open += (JSON.parse(text) as { items: unknown[] }).items.length;
    }
    if (open === products.length) return;
    if (performance.now() > until) throw new Error(`the stock of ${products.length - open} products did not open`);
  }
}
