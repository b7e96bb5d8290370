import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '@tradepost/shared/testing/otlpReceiver';
import { openMarket } from './market.ts';
import { table } from './report.ts';
import type { BenchShop, BenchShopOptions } from './shop.ts';

/** Where the time of a request goes: in a service, in its database, or on the way to it and back. */
export type Hop = `${string}: ${'own' | 'database' | 'way'}`;

const isDatabase = (span: ReceivedSpan): boolean => 'db.system.name' in span.attributes;
const isBeside = (span: ReceivedSpan): boolean => span.kind === 'producer' || span.kind === 'consumer';

/**
 * Shares out the time from the start to the end of a trace's root: each moment belongs to the innermost spans that are under
 * way, to several in equal parts. Messages and what follows on them are left out, since nobody waits for them.
 * @returns milliseconds by hop, which add up to the root's
 */
export function shareOut(spans: readonly ReceivedSpan[]): Map<Hop, number> {
  const children = Map.groupBy(spans, span => span.parentSpanId);
  const [root] = children.get(undefined) ?? [];
  const shares = new Map<Hop, number>();
  if (!root) return shares;
  const waited: ReceivedSpan[] = [];
  const visit = (span: ReceivedSpan): void => {
    if (isBeside(span)) return;
    waited.push(span);
    for (const child of children.get(span.spanId) ?? []) visit(child);
  };
  visit(root);
  const edges = waited.flatMap(({ startMs, endMs }) => [startMs, endMs]);
  const times = [...new Set(edges)].filter(time => time >= root.startMs && time <= root.endMs).sort((a, b) => a - b);
  for (const [nth, to] of times.entries()) {
    const from = times[nth - 1];
    if (from === undefined) continue;
    const active = waited.filter(({ startMs, endMs }) => startMs <= from && endMs >= to);
    const above = new Set(active.map(span => span.parentSpanId));
    const innermost = active.filter(span => !above.has(span.spanId));
    for (const span of innermost) {
      const hop = hopOf(span, children);
      shares.set(hop, (shares.get(hop) ?? 0) + (to - from) / innermost.length);
    }
  }
  return shares;
}

function hopOf(span: ReceivedSpan, children: ReadonlyMap<string | undefined, ReceivedSpan[]>): Hop {
  if (isDatabase(span)) return `${span.service}: database`;
  if (span.kind !== 'client') return `${span.service}: own`;
  const [callee] = (children.get(span.spanId) ?? []).filter(({ kind }) => kind === 'server');
  return `${callee?.service ?? 'nobody'}: way`;
}

/** What was found of an order's way. */
export interface Hops {
  orders: number;
  /** Milliseconds of one order in the mean. */
  shares: ReadonlyMap<Hop, number>;
  /** Milliseconds from the answer until the last message of the order was handled, in the mean. */
  handledAfterMs: number;
  /** Messages published for an order, and milliseconds that publishing one takes, in the mean. */
  messages: number;
  publishMs: number;
}

const [warmUps, traced] = [30, 100];
const spanLimitMs = 30_000;

/** Traces orders, one after the other, on a shop of its own: the figures of the others are those without traces. */
export async function measureHops(
  start: (options: BenchShopOptions) => Promise<BenchShop>,
  say: (line: string) => void,
) {
  const receiver = await startOtlpReceiver();
  try {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '100' };
    const shop = await start({ say, environment });
    try {
      say(`tracing ${traced} orders`);
      return await traceOrders(shop, receiver);
    } finally {
      await shop.stop();
    }
  } finally {
    await receiver.close();
  }
}

async function traceOrders(shop: BenchShop, receiver: OtlpReceiver): Promise<Hops> {
  const { products, tokens } = await openMarket(shop);
  const token = tokens[0] as string;
  const address = { name: 'Ada', line1: '12 Mill Lane', city: 'York', postcode: 'YO1 7HH', country: 'GB' };
  // A saved address, so that user-service is asked too.
  const addressId = (await shop.send('POST', '/api/users/me/addresses', { token, body: address })).body.id;
  const traceIds: string[] = [];
  for (let n = 0; traceIds.length < traced; n += 1) {
    if (n > 2 * (warmUps + traced)) throw new Error('too few orders are confirmed in their answer');
    const { status, headers } = await shop.send('POST', '/api/orders', {
      token,
      headers: { 'Idempotency-Key': randomUUID() },
      body: {
        items: [{ productId: products[n % products.length], quantity: 1 }],
        addressId,
        payment: { token: 'tok_visa' },
      },
    });
    if (n >= warmUps && status === 201) traceIds.push(String(headers.get('x-trace-id')));
  }
  const traces = await wholeTraces(receiver, traceIds);
  const shares = new Map<Hop, number>();
  for (const [hop, ms] of traces.flatMap(spans => [...shareOut(spans)])) {
    shares.set(hop, (shares.get(hop) ?? 0) + ms / traces.length);
  }
  const published = traces.flat().filter(({ kind }) => kind === 'producer');
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    ...{ orders: traces.length, shares, messages: published.length / traces.length },
    publishMs: mean(published.map(({ startMs, endMs }) => endMs - startMs)),
    handledAfterMs: mean(traces.map(handledAfter)),
  };
}

/** The spans of each trace, as soon as the last message of each was handled and the processes have sent the rest. */
async function wholeTraces(receiver: OtlpReceiver, traceIds: readonly string[]): Promise<ReceivedSpan[][]> {
  const isLast = ({ name }: ReceivedSpan) => name === 'consume user-service.order.confirmed';
  for (const until = performance.now() + spanLimitMs; ; await sleep(1_000)) {
    const byTrace = Map.groupBy(receiver.spans, span => span.traceId);
    const traces = traceIds.map(id => byTrace.get(id) ?? []);
    if (traces.every(spans => spans.some(isLast))) {
      await sleep(1_000);
      return traces;
    }
    if (performance.now() > until) throw new Error('not all spans of the traced orders have come');
  }
}

function handledAfter(spans: readonly ReceivedSpan[]): number {
  const root = spans.find(({ parentSpanId }) => parentSpanId === undefined);
  const last = Math.max(...spans.filter(({ kind }) => kind === 'consumer').map(({ endMs }) => endMs));
  return Math.max(0, last - (root?.endMs ?? 0));
}

const services = [
  'gateway',
  'order-service',
  'product-service',
  'user-service',
  'inventory-service',
  'payment-service',
];

/** The part of a report on where an order's time goes. */
export function hopsText({ orders, shares, handledAfterMs, messages, publishMs }: Hops): string {
  const all = [...shares.values()].reduce((sum, ms) => sum + ms, 0);
  const rows = services.map(service => {
    const [own = 0, database = 0, way = 0] = (['own', 'database', 'way'] as const).map(part =>
      shares.get(`${service}: ${part}`),
    );
    const total = own + database + way;
    return [
      service,
      own.toFixed(1),
      database.toFixed(1),
      way.toFixed(1),
      total.toFixed(1),
      `${((100 * total) / all).toFixed(0)} %`,
    ];
  });
  return `## Where the time of an order goes

${orders} orders with one line and a saved address, one after the other, on a shop of its own that sent traces; means. Each moment of the
gateway's request belongs to whatever was under way innermost. The way is that of the calls to a service and their answers,
on both sides.

${table(['hop', 'own work, ms', 'its database, ms', 'the way, ms', 'together, ms', 'share'], rows)}

An order takes ${all.toFixed(1)} ms. Nobody waits for its ${messages.toFixed(0)} messages: publishing one takes ${publishMs.toFixed(1)} ms, and the last one was
handled ${handledAfterMs.toFixed(0)} ms after the answer.
`;
}
