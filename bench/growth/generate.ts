import { newId } from '@tradepost/shared/ids';
import { v7 } from 'uuid';
import { openBooks } from './books.ts';
import type { Databases, Row } from './databases.ts';
import type { Template, Templates } from './templates.ts';

export interface GenerateOptions {
  databases: Databases;
  templates: Templates;
  orders: number;
  /** Over how many days until now they were placed. */
  days: number;
  /** Uniform in [0, 1). */
  random: () => number;
  /** Called now and then with how many orders are stored, of how many. */
  onProgress(done: number, total: number): void;
}

/** Orders of one customer, in the mean; made up. */
const ordersPerCustomer = 10;
/** Orders whose documents are inserted together, by one command for each collection. */
const batchOrders = 500;
const dayMs = 86_400_000;
/** How long an Idempotency-Key is remembered. */
const keyLifeMs = dayMs;

/**
 * Stores orders of the past: copies of the templates under ids and times of their own, of customers of their own, of
 * whom some order much more than others. Numbers of movements are continued, and the stock is written as all orders together
 * leave it. The shop must be at rest.
 * @returns ids and addresses of the customers, who all have the templates' password
 */
export async function generate(options: GenerateOptions): Promise<{ id: string; email: string }[]> {
  const { databases, templates, orders, days, random, onProgress } = options;
  const books = await openBooks(databases);
  const now = Date.now();
  const from = now - days * dayMs;
  const customers = makeCustomers(Math.ceil(orders / ordersPerCustomer), from);
  let stored: Promise<unknown> = Promise.resolve();
  for (let done = 0; done < orders; ) {
    const batch = new Map<string, Row[]>();
    for (const end = Math.min(orders, done + batchOrders); done < end; done += 1) {
      const template = templates.orders[Math.floor(random() * templates.orders.length)] as Template;
      const at = from + ((done + random()) / orders) * (now - from);
      // The square makes a tenth of the customers place about a third of the orders.
      const buyer = customers[Math.floor(random() ** 2 * customers.length)]!.id;
      for (const { name, row } of copyOf(template, { at, buyer, now })) {
        books.enter(name, row);
        const rows = batch.get(name);
        if (rows) rows.push(row);
        else batch.set(name, [row]);
      }
    }
    // The next batch is made up while the server stores this one.
    await stored;
    stored = insertAll(databases, batch);
    onProgress(done, orders);
  }
  await stored;
  await books.writeStock();
  const accounts = customers.map(customer => ({
    ...templates.account,
    ...{ _id: customer.id, email: customer.email, createdAt: new Date(from) },
  }));
  for (let start = 0; start < accounts.length; start += 5_000) {
    await insertAll(databases, new Map([['user-service/users', accounts.slice(start, start + 5_000)]]));
  }
  return customers;
}

const makeCustomers = (count: number, from: number) => {
  const run = newId();
  return Array.from({ length: count }, (_, nth) => ({
    id: v7({ msecs: from - count + nth }),
    email: `customer-${nth}-${run}@example.com`,
  }));
};

/** The documents of an order like the template's that was placed at another time by somebody else. */
export function* copyOf(
  { copier, buyer: buyerAt, rows, at: placedAt }: Template,
  { at, buyer, now }: { at: number; buyer: string; now: number },
): Generator<{ name: string; row: Row }> {
  const shiftMs = Math.round(at - placedAt);
  const ids = copier.newIds(shiftMs);
  ids[buyerAt] = buyer;
  const age = now - at;
  for (const { name, write, writeAged, lifeMs } of rows) {
    if (age < lifeMs) yield { name, row: (age < keyLifeMs ? write : writeAged)({ ids, shiftMs }) as Row };
  }
}

export async function insertAll(databases: Databases, batch: ReadonlyMap<string, Row[]>): Promise<void> {
  await Promise.all(
    [...batch].map(([name, rows]) =>
      databases.collection(name).insertMany(rows, { ordered: false, writeConcern: { w: 1, journal: false } }),
    ),
  );
}
