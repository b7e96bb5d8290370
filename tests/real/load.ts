import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestAnswer } from '@tradepost/local/testing';
import { countWaiting, type RealShop } from './realShop.ts';

/** What customers need of a shop. */
export type LoadedShop = Pick<RealShop, 'send' | 'register' | 'adminToken' | 'instances'>;

/** What customers saw while a fault was on. */
export interface Report {
  /** Orders that were begun. */
  orders: number;
  /** Those that were placed at the first try, confirmed or still pending. */
  atOnce: number;
  /** Answers and lost connections that made a customer try again, by status (0: no answer) and code. */
  failures: Record<string, number>;
  /** Other requests (lists, products) that failed; nobody repeated them. */
  failedReads: Record<string, number>;
  reads: number;
  /** Milliseconds of the slowest request. */
  slowestMs: number;
  /** Longest time in which no order was accepted, in milliseconds. */
  pauseMs: number;
  /** Milliseconds that it lasted, and in which the shop waited for a processor. */
  lastedMs: number;
  waitedMs: number;
  /** Orders that were accepted and are not as their customer was told. */
  broken: string[];
}

export interface Load extends AsyncDisposable {
  report: Report;
  /** No new orders; waits until every one has its final answer, and looks at each. */
  finish(): Promise<Report>;
}

const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };
const giveUpMs = 90_000;
const customers = 4;

/**
 * Customers who order at a steady rate, whatever the answers, and look at products and their orders meanwhile. Who gets no
 * final answer repeats the order under its key, as clients should. Disposed of before it is finished, as when its test has
 * failed, they give up at once.
 * @param options.cancelOneIn every how manieth order is cancelled once it is confirmed; none without it
 */
export async function startLoad(
  shop: LoadedShop,
  ordersPerSecond: number,
  options: { cancelOneIn?: number } = {},
): Promise<Load> {
  const tokens = await Promise.all(Array.from({ length: customers }, () => shop.register()));
  const products: string[] = (await shop.send('GET', '/api/products?limit=100')).body.items.map(
    (product: { id: string }) => product.id,
  );
  const admin = await shop.adminToken();
  await Promise.all(
    products.map(id => shop.send('PATCH', `/api/inventory/${id}`, { token: admin, body: { onHand: 1_000_000 } })),
  );
  const counts = { orders: 0, atOnce: 0, reads: 0, slowestMs: 0, pauseMs: 0, lastedMs: 0, waitedMs: 0 };
  const report: Report = { ...counts, failures: {}, failedReads: {}, broken: [] };
  const [began, waiting] = [performance.now(), countWaiting(shop)];
  const count = (counts: Record<string, number>, answer: TestAnswer | undefined) => {
    const name = answer ? `${answer.status} ${answer.body.code ?? ''}`.trim() : '0';
    counts[name] = (counts[name] ?? 0) + 1;
  };
  let acceptedAt = began;
  const accepted = () => {
    report.pauseMs = Math.max(report.pauseMs, performance.now() - acceptedAt);
    acceptedAt = performance.now();
  };
  const timed = async (method: string, path: string, options: Parameters<LoadedShop['send']>[2]) => {
    const began = performance.now();
    const answer = await shop.send(method, path, options).catch(() => undefined);
    report.slowestMs = Math.max(report.slowestMs, performance.now() - began);
    return answer;
  };

  async function order(token: string, productId: string): Promise<void> {
    report.orders += 1;
    const isCancelled = options.cancelOneIn !== undefined && report.orders % options.cancelOneIn === 0;
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = { items: [{ productId, quantity: 1 }], shippingAddress: address, payment: { token: 'tok_visa' } };
    const until = performance.now() + giveUpMs;
    for (let tries = 1; ; tries += 1) {
      const answer = await timed('POST', '/api/orders', { token, body, headers });
      const isAccepted = answer?.status === 201 || answer?.status === 202;
      if (isAccepted) accepted();
      if (isAccepted && tries === 1) report.atOnce += 1;
      if (answer?.status === 201)
        return isCancelled ? cancel(token, answer.body.id) : check(token, answer.body.id, 'confirmed');
      // Accepted and not done yet: the same key leads to its end.
      if (answer?.status !== 202) count(report.failures, answer);
      if (isLeft || performance.now() > until) {
        report.broken.push(`${headers['Idempotency-Key']} has no final answer: ${answer?.status}`);
        return;
      }
      await sleep(300);
    }
  }

  async function cancel(token: string, id: string): Promise<void> {
    for (let tries = 0; tries < 50 && !isLeft; tries += 1) {
      const answer = await timed('POST', `/api/orders/${id}/cancel`, { token });
      if (answer?.status === 200) return check(token, id, 'cancelled');
      await sleep(300);
    }
    report.broken.push(`${id} cannot be cancelled`);
  }

  async function check(token: string, id: string, status: 'confirmed' | 'cancelled'): Promise<void> {
    for (let tries = 0; tries < 50 && !isLeft; tries += 1) {
      const answer = await shop.send('GET', `/api/orders/${id}`, { token }).catch(() => undefined);
      if (answer?.status === 200) {
        if (answer.body.status !== status) report.broken.push(`${id} is ${answer.body.status}`);
        return;
      }
      await sleep(300);
    }
    report.broken.push(`${id} cannot be seen`);
  }

  async function read(token: string, productId: string): Promise<void> {
    for (const path of [`/api/products/${productId}`, '/api/orders?limit=5', `/api/inventory/${productId}`]) {
      report.reads += 1;
      const answer = await timed('GET', path, { token });
      if (answer?.status !== 200) count(report.failedReads, answer);
    }
  }

  const running = new Set<Promise<void>>();
  let isLeft = false;
  let turn = 0;
  const timer = setInterval(() => {
    turn += 1;
    const [token, product] = [tokens[turn % customers] as string, products[turn % products.length] as string];
    for (const work of [order(token, product), ...(turn % 4 === 0 ? [read(token, product)] : [])]) {
      running.add(work);
      void work.finally(() => running.delete(work));
    }
  }, 1_000 / ordersPerSecond);
  const finish = async () => {
    clearInterval(timer);
    // Also when none was accepted any more.
    report.pauseMs = Math.max(report.pauseMs, performance.now() - acceptedAt);
    while (running.size > 0) await Promise.all(running);
    report.lastedMs = Math.round(performance.now() - began);
    report.waitedMs = Math.round(waiting());
    return report;
  };
  return {
    ...{ report, finish },
    async [Symbol.asyncDispose]() {
      isLeft = true;
      await finish();
    },
  };
}

/** Whether this machine bears that many orders a second just now, with no fault on. */
async function isEasy(shop: LoadedShop, rate: number): Promise<boolean> {
  await using load = await startLoad(shop, rate);
  await sleep(4_000);
  const { failures, failedReads, slowestMs } = await load.finish();
  return Object.keys({ ...failures, ...failedReads }).length === 0 && slowestMs < 750;
}

/**
 * The most orders a second, of those wanted, half and a quarter of them, with which this machine is at ease just now.
 * Beyond it requests would be late for want of a processor, and say nothing of the fault that a test is about.
 */
export async function easyRate(shop: LoadedShop, wanted: number): Promise<number> {
  for (const rate of [wanted, wanted / 2]) if (await isEasy(shop, rate)) return rate;
  return wanted / 4;
}

/** A shop that waits for a processor for a greater part of its time than this cannot keep to time limits. */
const mostWaiting = 0.25;

/**
 * No request failed while the fault was on. On a machine so busy that the shop did not get to run, or that some fail at
 * that rate without any fault, nothing can be told; then it says so, and only what must hold however slow all is was
 * looked at.
 */
export async function expectNoFailure(shop: LoadedShop, rate: number, report: Report): Promise<void> {
  const failed = { ...report.failures, ...report.failedReads };
  if (Object.keys(failed).length === 0) return;
  const isBusy = report.waitedMs > mostWaiting * report.lastedMs || !(await isEasy(shop, rate));
  assert.ok(isBusy, `at ${rate} orders a second: ${JSON.stringify(failed)}`);
  recordFigures('this machine was too busy to tell whether requests failed for the fault', report, { rate });
}

/** What a test measured, as a line of the file that the suite's figures are collected in. */
export function recordFigures(test: string, report: Report, more: Record<string, number> = {}): void {
  const { broken, ...counts } = report;
  const line = JSON.stringify({
    test,
    ...counts,
    slowestMs: Math.round(report.slowestMs),
    pauseMs: Math.round(report.pauseMs),
    broken: broken.length,
    ...more,
  });
  if (process.env.TEST_FIGURES) appendFileSync(process.env.TEST_FIGURES, `${line}\n`);
  else process.stdout.write(`${line}\n`);
}
