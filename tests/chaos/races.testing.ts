import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after } from 'node:test';
import type { TestAnswer } from '@tradepost/local/testing';
import { createPool } from '@tradepost/shared/messaging/pool';
import { seeded } from '@tradepost/shared/testing/seeded';
import { type Books, openBooks } from './books.ts';
import type { Delay } from './failpoints.ts';
import { isFinal, openProduct, orderOf, pause, populate, type World } from './load.ts';
import { attempt, type ShopProcess, scratchFolder, startShopProcess } from './shopProcess.ts';
import { auditUntilClean, timeLimit } from './verify.ts';

/** The seed of this file's random choices: RACES_SEED or a new one. */
export const seed = Number(process.env.RACES_SEED ?? Date.now() % 1_000_000);

/** Times of a shop in which nothing is made to fail. */
const calm = {
  ORDER_WAIT_MS: '10000',
  SAGA_LEASE_MS: '15000',
  RELAY_CLAIM_MS: '10000',
  HOLD_TTL_MS: '900000',
  HOLD_SWEEP_INTERVAL_MS: '2000',
  PROVIDER_TIMEOUT_MS: '4000',
};

/** Longest that the slowest machine may need for what is waited for here. */
const limitMs = 120_000;

export interface RaceShop {
  shop: ShopProcess;
  world: World;
  books: Books;
  random: () => number;
  /** Puts a product with so many pieces on sale. */
  sell(name: string, pieces: number): Promise<string>;
  /** Places an order and repeats the request under the same key until it has its final answer. */
  order(purchase: { key: string; customer: number; items: Items; payment?: string }): Promise<TestAnswer>;
  /** Waits until nothing is under way; fails on what the audit finds then, and on messages that were not handled. */
  rest(): Promise<void>;
  stockOf(productId: string): Promise<{ onHand: number; reserved: number; available: number }>;
}

export type Items = { productId: string; quantity: number }[];

/** A real shop process for the races of one file. Prints its seed; it and its data are gone after the tests. */
export async function startRaceShop(
  options: { customers?: number; settings?: Record<string, string>; delays?: readonly Delay[] } = {},
): Promise<RaceShop> {
  process.stdout.write(`seed ${seed}\n`);
  const folder = scratchFolder();
  after(() => rmSync(folder, { recursive: true, force: true }));
  const { customers = 4, settings = {}, delays = [] } = options;
  const shop = await startShopProcess(folder, { settings: { ...calm, ...settings }, orders: { delays }, seed });
  after(() => shop.kill());
  const books = await openBooks(shop.mongodbUri);
  after(() => books.close());
  const world = await populate(shop, { customers, products: 0 });
  const stockOf = async (productId: string) => (await attempt(shop, 'GET', `/api/inventory/${productId}`))?.body;
  return {
    ...{ shop, world, books, stockOf, random: seeded(seed) },
    async sell(name, pieces) {
      const made = await openProduct(shop, world.adminToken, `RACE-${name}`, pieces);
      assert.equal(made?.status, 201);
      const productId: string = made.body.id;
      while ((await stockOf(productId)).available !== pieces) await pause(20);
      return productId;
    },
    async order({ key, customer, items, payment }) {
      const token = world.customers[customer % world.customers.length] as string;
      const request = { token, body: orderOf(items, payment), headers: { 'Idempotency-Key': key } };
      for (const isOver = timeLimit(shop, limitMs); !isOver(); ) {
        const answer = await attempt(shop, 'POST', '/api/orders', request);
        if (isFinal(answer)) return answer;
        // All others wait too: whoever came back sooner than told would keep the shop from its work.
        await pause(1_000 * Number((answer as TestAnswer | undefined)?.headers.get('retry-after') ?? 1));
      }
      throw new Error(`${key} got no final answer within ${limitMs} ms`);
    },
    async rest() {
      const isOver = timeLimit(shop, limitMs);
      assert.deepEqual(await auditUntilClean(shop, world, books, isOver), []);
      let undelivered = await books.undelivered();
      while (undelivered.length > 0 && !isOver()) {
        await pause(50);
        undelivered = await books.undelivered();
      }
      assert.deepEqual(undelivered, []);
    },
  };
}

/** Runs `count` tasks, at most so many at once, and returns their results in order. */
export async function together<T>(count: number, atOnce: number, task: (n: number) => Promise<T>): Promise<T[]> {
  const pool = createPool(atOnce);
  return Promise.all(Array.from({ length: count }, (_, n) => pool.run(() => task(n)) as Promise<T>));
}

/** How often each of the words occurs. */
export const tally = (words: readonly string[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(words, word => word)].map(([word, all]) => [word, all.length]));
