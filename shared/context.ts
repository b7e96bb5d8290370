import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** What follows a request through the code without being passed by hand: who asked, since when, until when. */
export interface RequestContext {
  requestId: string;
  /** W3C trace context (https://www.w3.org/TR/trace-context/), passed on to calls and messages. */
  traceparent: string;
  /** Milliseconds since the epoch after which nobody waits for the answer; undefined outside requests. */
  deadline?: number;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work` with the context as the current one. */
export function withContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** The context of the request or message being handled, if any. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** A traceparent for this hop: the trace of `incoming` when it is valid, else a new one, with a span id of its own. */
export function childTraceparent(incoming?: string): string {
  const match = incoming ? pattern.exec(incoming) : null;
  const trace = match?.[1] && !/^0+$/.test(match[1]) ? match[1] : randomHex();
  return `00-${trace}-${randomHex().slice(16)}-01`;
}

/** 32 digits. Node keeps randomness for UUIDs in stock; asking for it anew costs more than the rest of a log line. */
const randomHex = (): string => randomUUID().replaceAll('-', '');

/** The trace id inside a traceparent. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

/** Milliseconds left until the current deadline, at most `limitMs`; never negative. */
export function remainingMs(limitMs: number): number {
  const deadline = currentContext()?.deadline;
  return deadline === undefined ? limitMs : Math.max(0, Math.min(limitMs, deadline - Date.now()));
}
