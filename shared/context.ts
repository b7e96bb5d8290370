import { AsyncLocalStorage } from 'node:async_hooks';
import { randomFillSync } from 'node:crypto';
import type { ActiveSpan } from './observability/span.ts';

/** What follows a request through the code without being passed by hand: who asked, since when, until when. */
export interface RequestContext {
  requestId: string;
  /** W3C trace context (https://www.w3.org/TR/trace-context/), passed on to calls and messages. */
  traceparent: string;
  /** Milliseconds since the epoch after which nobody waits for the answer; undefined outside requests. */
  deadline?: number;
  /** The order that it is about, once that is known. */
  orderId?: string;
  /** The span that is under way, whose traceparent the context has; none where traces are off. */
  span?: ActiveSpan;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work` with the context as the current one. */
export function withContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/**
 * Runs `work` without a context: for timers and loops of a background worker, which would otherwise for ever count as a
 * part of the request that happened to wake it.
 */
export function detached<T>(work: () => T): T {
  return storage.run(undefined as never, work);
}

const orderIdPattern = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Says which order the current request is about, for its log lines; what is no id of an order is left out of them. */
export function noteOrder(orderId: unknown): void {
  const context = storage.getStore();
  if (context && typeof orderId === 'string' && orderIdPattern.test(orderId)) context.orderId = orderId;
}

/** What every log line tells of the context that it is written in. */
export function contextFields(): { requestId?: string; traceId?: string; orderId?: string } {
  const context = storage.getStore();
  if (!context) return {};
  const { requestId, traceparent, orderId } = context;
  const traceId = traceIdOf(traceparent);
  return orderId === undefined ? { requestId, traceId } : { requestId, traceId, orderId };
}

/** The context of the request or message being handled, if any. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** A traceparent for this hop: the trace of `incoming` when it is valid, else a new one, with a span id of its own. */
export function childTraceparent(incoming?: string): string {
  const match = incoming ? pattern.exec(incoming) : null;
  const trace = match?.[1] && !/^0+$/.test(match[1]) ? match[1] : randomHex(16);
  return `00-${trace}-${randomHex(8)}-01`;
}

const stock = Buffer.alloc(8_192);
let used = stock.length;

/** Digits of random bytes, at most 16 of them, from a stock: asking the system for each costs more than the rest of a log line. */
function randomHex(bytes: number): string {
  if (used + bytes > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  used += bytes;
  return stock.toString('hex', used - bytes, used);
}

/** The trace id inside a traceparent. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

/** Milliseconds left until the current deadline, at most `limitMs`; never negative. */
export function remainingMs(limitMs: number): number {
  const deadline = currentContext()?.deadline;
  return deadline === undefined ? limitMs : Math.max(0, Math.min(limitMs, deadline - Date.now()));
}
