import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Account } from './buyers.ts';
import type { PlannedOrder } from './orders.ts';
import type { ShopAnswer } from './shopClient.ts';

/** What became of one order. */
export interface Outcome {
  order: PlannedOrder;
  /** Undefined when the order was not confirmed; `problem` says why. */
  orderId?: string;
  /** When the shop took it, which was in an earlier run if this one goes on. */
  createdAt?: Date;
  /** What the shop charged, in minor units. */
  total?: number;
  problem?: string;
  /** Milliseconds of the answer that accepted the order. */
  tookMs: number;
}

const shopOrder = z.object({
  id: z.string(),
  status: z.string(),
  total: z.object({ amount: z.int() }),
  createdAt: z.iso.datetime(),
});
const problem = z.object({ code: z.string(), detail: z.string().optional() });

export interface PlayOptions {
  orders: readonly PlannedOrder[];
  /** Orders under way at once. */
  buyers: number;
  account(customerId: string): Promise<Account>;
  productId(sku: string): string;
  /** The same for the same order in every run that continues this one. */
  keyOf(order: PlannedOrder): string;
  done(outcome: Outcome): void;
}

/** Places all orders, several at once, in the order of the file. */
export async function play(options: PlayOptions): Promise<void> {
  const queue = options.orders.values();
  const buyer = async () => {
    // Iterators are shared: each buyer takes the next order that nobody has.
    for (const order of queue) options.done(await place(order, options));
  };
  await Promise.all(Array.from({ length: options.buyers }, buyer));
}

const pollMs = 250;
const patienceMs = 120_000;

async function place(order: PlannedOrder, options: PlayOptions): Promise<Outcome> {
  const account = await options.account(order.customerId);
  const request = {
    headers: { 'Idempotency-Key': options.keyOf(order) },
    body: {
      items: [...order.quantities].map(([sku, quantity]) => ({ productId: options.productId(sku), quantity })),
      shippingAddress: {
        name: `Customer ${order.customerId}`,
        line1: `Invoice ${order.invoiceNo}`,
        city: order.country,
        postcode: '00000',
        country: countryCode(order.country),
      },
      payment: { token: 'tok_visa' },
    },
  };
  const until = performance.now() + patienceMs;
  let answer = await account.send('POST', '/api/orders', request);
  const { tookMs } = answer;
  // The try before was cut off and still runs; its key leads back to it.
  while (codeOf(answer) === 'request_in_progress' && performance.now() < until) {
    await sleep(pollMs);
    answer = await account.send('POST', '/api/orders', request);
  }
  while (statusOf(answer) === 'pending' && performance.now() < until) {
    await sleep(pollMs);
    answer = await account.send('GET', `/api/orders/${shopOrder.parse(answer.body).id}`);
  }
  return { order, tookMs, ...judge(answer) };
}

const statusOf = (answer: ShopAnswer) => shopOrder.safeParse(answer.body).data?.status;
const codeOf = (answer: ShopAnswer) => problem.safeParse(answer.body).data?.code;

function judge(answer: ShopAnswer): Pick<Outcome, 'orderId' | 'createdAt' | 'total' | 'problem'> {
  const order = shopOrder.safeParse(answer.body).data;
  if (order?.status === 'confirmed') {
    return { orderId: order.id, createdAt: new Date(order.createdAt), total: order.total.amount };
  }
  if (order) return { problem: `order ${order.id} is ${order.status}` };
  const refusal = problem.safeParse(answer.body).data;
  return { problem: `${answer.status} ${refusal?.code ?? ''} ${refusal?.detail ?? ''}`.trim() };
}

/** Names in the file that are not the English names of ISO 3166-1. */
const otherNames: Record<string, string> = { EIRE: 'IE', USA: 'US', RSA: 'ZA', 'Channel Islands': 'JE' };

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));
const isoCodes: ReadonlyMap<string, string> = new Map(
  letters.flatMap(first =>
    letters.flatMap(second => {
      const code = first + second;
      const name = regions.of(code);
      // Withdrawn codes share the name of the one that followed (FX, France).
      const isCurrent = new Intl.Locale('und', { region: code }).region === code;
      return name === undefined || !isCurrent ? [] : [[name, code] as const];
    }),
  ),
);

/** The country's ISO 3166-1 code by its English name; GB for what is no country. */
export function countryCode(name: string): string {
  return otherNames[name] ?? isoCodes.get(name) ?? 'GB';
}
