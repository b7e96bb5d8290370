/**
 * Customers who look and order at a steady rate, whatever the answers, with a line about them every ten seconds.
 * Settings: GATEWAY_URL, LOAD_ORDERS_PER_SECOND, LOAD_CUSTOMERS, LOAD_MAX_IN_FLIGHT, LOAD_SECONDS (0: until it is
 * stopped), ADMIN_EMAIL and ADMIN_PASSWORD, who fills up the stock.
 *
 *   npm run load
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { integer, loadConfig } from '@tradepost/shared/config';
import { z } from 'zod';
import { createPerson, createSend, newCustomer } from '../load/customers.ts';
import { createVisits, type Tally } from '../load/visits.ts';
import { runClient } from '../reachShop.ts';

const reportMs = 10_000;

const settings = {
  GATEWAY_URL: z.url({ protocol: /^https?$/, error: 'must be an http address' }).default('http://localhost:3000'),
  LOAD_ORDERS_PER_SECOND: z.coerce.number('must be a number').min(0.01).max(1_000).default(2),
  LOAD_CUSTOMERS: integer(1, 1_000, 5),
  LOAD_MAX_IN_FLIGHT: integer(1, 10_000, 50),
  LOAD_SECONDS: integer(0, 31_536_000, 0),
  ADMIN_EMAIL: z.string(),
  ADMIN_PASSWORD: z.string(),
};

await runClient(async () => {
  const config = loadConfig(settings, process.env);
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());
  const send = createSend(config.GATEWAY_URL.replace(/\/$/, ''));
  const admin = createPerson(send, { email: config.ADMIN_EMAIL, password: config.ADMIN_PASSWORD }, { register: false });
  const customers = Array.from({ length: config.LOAD_CUSTOMERS }, () => newCustomer(send));
  const tally: Tally = { orders: {}, failed: 0, skipped: 0 };
  const visit = createVisits({ admin, tally, random: Math.random });
  const running = new Set<Promise<void>>();
  const report = () => process.stdout.write(`${JSON.stringify({ ...tally, running: running.size })}\n`);
  const timer = setInterval(report, reportMs);

  const began = performance.now();
  const endsAt = config.LOAD_SECONDS === 0 ? Number.POSITIVE_INFINITY : began + config.LOAD_SECONDS * 1_000;
  for (let turn = 0; !stopping.signal.aborted && performance.now() < endsAt; turn += 1) {
    const customer = customers[turn % customers.length];
    if (running.size >= config.LOAD_MAX_IN_FLIGHT) tally.skipped += 1;
    else if (customer) {
      const work = visit(customer).finally(() => running.delete(work));
      running.add(work);
    }
    const due = began + ((turn + 1) * 1_000) / config.LOAD_ORDERS_PER_SECOND;
    await sleep(Math.max(0, due - performance.now()), undefined, { signal: stopping.signal }).catch(() => {});
  }
  await Promise.all(running);
  clearInterval(timer);
  report();
});
