import type { BenchShop } from './shop.ts';

/** Who buys what. */
export interface Market {
  tokens: string[];
  products: string[];
}

const customers = 16;

/** Customers, and products with more pieces than will be sold. */
export async function openMarket(shop: BenchShop): Promise<Market> {
  const tokens: string[] = [];
  for (let n = 0; n < customers; n += 1) tokens.push(await shop.register());
  const listed = await shop.send('GET', '/api/products?limit=100');
  const products: string[] = listed.body.items.map(({ id }: { id: string }) => id);
  const token = await shop.adminToken();
  for (const id of products) await shop.send('PATCH', `/api/inventory/${id}`, { token, body: { onHand: 100_000_000 } });
  return { tokens, products };
}
