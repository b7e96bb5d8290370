import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@tradepost/shared/discovery';
import { StartError } from '@tradepost/shared/lifecycle';
import { z } from 'zod';
import type { DataFolder } from './dataFolder.ts';
import { demoCatalogue } from './demoCatalogue.ts';
import type { AdminCredentials } from './settings.ts';

const seedFile = 'demo.json';
const seedState = z.object({ demo: z.enum(['begun', 'done']) });
const stockLimitMs = 10_000;

export interface SeedOptions {
  /** Remembers that the demo was there, so that it never comes back by itself. */
  folder: DataFolder | undefined;
  addressOf(service: ServiceName): string;
  admin: AdminCredentials;
}

/**
 * Fills an empty catalogue through the shop's own import, once in the life of a data folder, and waits until the stock
 * is open. What an interrupted start left half done is done again; sku by sku the import changes nothing twice.
 * @returns products imported, 0 when there was nothing to do
 */
export async function seedDemo(options: SeedOptions): Promise<number> {
  const { folder } = options;
  const urlOf = options.addressOf;
  const state = folder?.read(seedFile, seedState)?.demo;
  if (state === 'done') return 0;
  if (state === undefined && !(await isEmpty(urlOf('product-service')))) return 0;
  folder?.write(seedFile, { demo: 'begun' });
  await importDemo(urlOf('product-service'), await adminToken(urlOf('user-service'), options.admin));
  await stockIsOpen(urlOf('product-service'), urlOf('inventory-service'));
  folder?.write(seedFile, { demo: 'done' });
  return demoCatalogue.length;
}

const productPage = z.object({ items: z.array(z.object({ id: z.string() })) });

async function isEmpty(productUrl: string): Promise<boolean> {
  return productPage.parse(await call(`${productUrl}/api/products?limit=1`)).items.length === 0;
}

async function adminToken(userUrl: string, admin: AdminCredentials): Promise<string> {
  const answer = await call(`${userUrl}/api/users/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: admin.email, password: admin.password }),
  });
  return z.object({ accessToken: z.string() }).parse(answer).accessToken;
}

async function importDemo(productUrl: string, token: string): Promise<void> {
  const answer = await call(`${productUrl}/api/products/import`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', Authorization: `Bearer ${token}` },
    body: demoCatalogue.map(row => `${JSON.stringify(row)}\n`).join(''),
  });
  const { rejected } = z.object({ rejected: z.array(z.unknown()) }).parse(answer);
  if (rejected.length > 0) throw new StartError(`The demo catalogue was refused: ${JSON.stringify(rejected[0])}`);
}

/** The import is heard by inventory a moment later; a tour that begins at once should find the stock. */
async function stockIsOpen(productUrl: string, inventoryUrl: string): Promise<void> {
  const { items } = productPage.parse(await call(`${productUrl}/api/products?limit=100`));
  const query = items.map(item => item.id).join(',');
  for (let waitedMs = 0; waitedMs < stockLimitMs; waitedMs += 25) {
    const known = z
      .object({ items: z.array(z.unknown()) })
      .parse(await call(`${inventoryUrl}/api/inventory?productIds=${query}`));
    if (known.items.length === items.length) return;
    await sleep(25);
  }
  throw new StartError('The stock of the demo catalogue did not open in time');
}

async function call(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  const body = await response.text();
  if (!response.ok) throw new StartError(`The demo catalogue could not be imported: ${response.status} ${body}`);
  return JSON.parse(body);
}
