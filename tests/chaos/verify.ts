import { readdirSync, readFileSync } from 'node:fs';
import type { TestAnswer } from '@tradepost/local/testing';
import { createPool } from '@tradepost/shared/messaging/pool';
import type { Books } from './books.ts';
import { buy, type Purchase, pause, type World } from './load.ts';
import { attempt, type ShopProcess } from './shopProcess.ts';

/** What must hold within this time after a fault, as the promise says. */
export const settleMs = 30_000;

/** Whether the time is over within which something must have happened. */
export type IsOver = () => boolean;

/**
 * A limit of so many milliseconds, without the time in which the machine had no processor for the shop: that is no fault
 * of the shop's. Of its threads the one that waited longest counts, which may be its store's. Where the system does not
 * tell, all time counts.
 */
export function timeLimit({ process: { pid } }: ShopProcess, ms: number): IsOver {
  const threads = `/proc/${pid}/task`;
  const waitedMs = (): number => Math.max(0, ...orNone(() => readdirSync(threads)).map(waitedOf));
  const waitedOf = (thread: string): number => {
    const [line] = orNone(() => [readFileSync(`${threads}/${thread}/schedstat`, 'utf8')]);
    return Number(line?.split(' ')[1] ?? 0) / 1e6;
  };
  const [began, waitedBefore] = [Date.now(), waitedMs()];
  return () => Date.now() - began - Math.max(0, waitedMs() - waitedBefore) > ms;
}

/** What was read, or nothing where the system has no such file or the thread is gone. */
function orNone<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch {
    return [];
  }
}

/** How long a customer waits before asking again. */
const repeatMs = 250;
/** Between two looks at what is unfinished. */
const lookMs = 60;

/** Repeats what had no answer until it has one, the time is over, or the shop is gone. */
export async function insist(
  shop: ShopProcess,
  world: World,
  purchases: readonly Purchase[],
  isOver: IsOver,
): Promise<void> {
  const repeat = async (purchase: Purchase): Promise<void> => {
    while (!purchase.answer && !isOver() && !shop.isGone()) {
      await buy(shop, world, purchase);
      if (!purchase.answer) await pause(repeatMs);
    }
  };
  await Promise.all(purchases.map(repeat));
}

/**
 * Gets every customer an answer, then waits until the audit finds nothing, with no patience for unfinished work.
 * @returns what is wrong; empty when every promise held
 */
export async function verify(
  shop: ShopProcess,
  world: World,
  purchases: readonly Purchase[],
  books: Books,
): Promise<string[]> {
  const isOver = timeLimit(shop, settleMs);
  await insist(shop, world, purchases, isOver);
  const wrong = purchases.filter(one => !one.answer).map(one => `${one.key}: no answer within ${settleMs} ms`);
  wrong.push(...(await auditUntilClean(shop, world, books, isOver)));
  const pool = createPool(8);
  const differences = await Promise.all(purchases.map(one => pool.run(() => compare(shop, one, isOver))));
  return [...wrong, ...differences.flatMap(found => found ?? [])];
}

/** What the audit still finds when the time is over; nothing as soon as it is clean. */
export async function auditUntilClean(
  shop: ShopProcess,
  world: World,
  books: Books,
  isOver: IsOver,
): Promise<string[]> {
  // Counting is cheaper than an audit that would only tell that work is under way.
  while (!isOver() && (await books.unfinished()) > 0) await pause(lookMs);
  for (;;) {
    const audit = await attempt(shop, 'GET', '/api/operations/audit?patienceMs=0', { token: world.adminToken });
    if (audit?.status === 200 && audit.body.clean) return [];
    if (isOver()) {
      const findings: { check: string; id: string; detail: string }[] = audit?.body.findings ?? [];
      const lines = findings.map(one => `the audit found: ${one.check} ${one.id} ${one.detail}`);
      return lines.length > 0 ? lines : [`the audit answered ${audit?.status}`];
    }
    await pause(100);
  }
}

/** Which statuses may follow the one that the customer was told. */
const later: Record<string, readonly string[]> = {
  confirmed: ['confirmed', 'shipped', 'delivered', 'cancelled'],
  shipped: ['shipped', 'delivered'],
  delivered: ['delivered'],
  cancelled: ['cancelled'],
};

/** An order that the customer was told of is there, ended as told; the same key still gives the same answer. */
async function compare(shop: ShopProcess, purchase: Purchase, isOver: IsOver): Promise<string[]> {
  const { key, token, body, answer } = purchase;
  const orderId: string | undefined = answer?.status === 201 ? answer.body.id : answer?.body.orderId;
  if (!answer || !orderId) return [];
  const order = await answered(() => attempt(shop, 'GET', `/api/orders/${orderId}`, { token }), isOver);
  if (order?.status !== 200) return [`${key}: order ${orderId} was acknowledged and is not there (${order?.status})`];
  const { status } = order.body;
  const told = purchase.told ?? (answer.status === 201 ? 'confirmed' : 'cancelled');
  const mayChange = purchase.next !== 'nothing' || purchase.impatient;
  if (mayChange ? !later[told]?.includes(status) : status !== told) {
    return [`${key}: order ${orderId} was ${told}, and is ${status}`];
  }
  const headers = { 'Idempotency-Key': key };
  const again = await answered(() => attempt(shop, 'POST', '/api/orders', { token, body, headers }), isOver);
  const sameId = again?.body.id ?? again?.body.orderId;
  if (again?.status === answer.status && sameId === orderId) return [];
  return [`${key}: was answered ${answer.status} ${orderId}, and then ${again?.status} ${sameId}`];
}

/** Asks until there is an answer other than that the shop has no time. */
async function answered(ask: () => Promise<TestAnswer | undefined>, isOver: IsOver): Promise<TestAnswer | undefined> {
  let answer = await ask();
  while ((!answer || answer.status >= 500) && !isOver()) {
    await pause(repeatMs);
    answer = await ask();
  }
  return answer;
}
