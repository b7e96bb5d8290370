import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import type { Account } from './buyers.ts';
import type { CatalogueProduct, Rejected } from './catalogue.ts';

/** Pieces on hand by sku. */
export type Levels = Record<string, number>;

const imported = z.object({
  created: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  rejected: z.array(z.object({ line: z.int(), sku: z.string().optional(), errors: z.unknown() })),
});
export type Imported = z.infer<typeof imported>;

/**
 * Imports the products through the shop's own import. A product that is new there opens with `opening(sku)` pieces.
 * @returns the counts, and the rows that the shop refused with their lines in the file
 */
export async function importProducts(
  admin: Account,
  products: readonly CatalogueProduct[],
  opening: (product: CatalogueProduct) => number,
): Promise<{ created: number; updated: number; unchanged: number; rejected: Rejected[] }> {
  const rows = products.map(product => {
    const { line: _line, stock: _stock, ...fields } = product;
    return JSON.stringify({ ...fields, initialStock: opening(product) });
  });
  const answer = await admin.send('POST', '/api/products/import', {
    raw: { type: 'application/x-ndjson', content: `${rows.join('\n')}\n` },
  });
  if (answer.status !== 200) throw refused('the import', answer);
  const { created, updated, unchanged, rejected } = imported.parse(answer.body);
  return {
    created,
    updated,
    unchanged,
    rejected: rejected.map(({ line, errors }) => ({
      line: products[line - 1]?.line ?? line,
      reason: `refused by the shop: ${JSON.stringify(errors)}`,
    })),
  };
}

const productPage = z.object({
  items: z.array(z.object({ id: z.string(), sku: z.string() })),
  nextCursor: z.string().nullable(),
});

/** Ids of all products that the shop lists, by sku. */
export async function productIds(admin: Account): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const answer = await admin.send('GET', `/api/products?limit=100${query}`);
    if (answer.status !== 200) throw refused('the list of products', answer);
    const page = productPage.parse(answer.body);
    for (const { id, sku } of page.items) ids.set(sku, id);
    cursor = page.nextCursor;
  }
  return ids;
}

const levels = z.object({
  items: z.array(z.object({ productId: z.string(), onHand: z.int(), reserved: z.int() })),
});
const perRequest = 100;

/**
 * Reads the stock of all given products as soon as it is known and nothing of it is held any more.
 * @param ids product ids by sku
 * @param limitMs how long to wait for that; then the stock is read as it is
 */
export async function settledStock(admin: Account, ids: ReadonlyMap<string, string>, limitMs: number): Promise<Levels> {
  const onHand: Levels = {};
  const waiting = new Map([...ids].map(([sku, id]) => [id, sku]));
  const until = performance.now() + limitMs;
  while (waiting.size > 0) {
    const late = performance.now() > until;
    for (const batch of batches([...waiting.keys()], perRequest)) {
      const answer = await admin.send('GET', `/api/inventory?productIds=${batch.join(',')}`);
      if (answer.status !== 200 && answer.status !== 404) throw refused('the stock', answer);
      if (answer.status === 404) continue;
      for (const { productId, onHand: pieces, reserved } of levels.parse(answer.body).items) {
        const sku = waiting.get(productId);
        if (sku === undefined || (reserved > 0 && !late)) continue;
        onHand[sku] = pieces;
        waiting.delete(productId);
      }
    }
    if (late) break;
    if (waiting.size > 0) await sleep(100);
  }
  return onHand;
}

/** Sets the stock on hand. */
export async function setStock(admin: Account, productId: string, pieces: number): Promise<void> {
  const answer = await admin.send('PATCH', `/api/inventory/${productId}`, { body: { onHand: pieces } });
  if (answer.status !== 200) throw refused(`the stock of ${productId}`, answer);
}

function* batches<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}

function refused(what: string, answer: { status: number; body: unknown }): StartError {
  const { code, detail } = (answer.body ?? {}) as { code?: string; detail?: string };
  return new StartError(`The shop refused ${what}: ${answer.status} ${code ?? ''} ${detail ?? ''}`.trim());
}
