import type { Clock } from '../clock.ts';
import { childTraceparent, type RequestContext, withContext } from '../context.ts';
import { untilAvailable } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { BusMetrics } from './busMetrics.ts';
import { defaultRetryDelaysMs, type Interest, type Listener, type Subscription } from './eventBus.ts';
import { decodeBody, InvalidMessageError, type Message, orderOf, parseEnvelope, parseMessage } from './message.ts';
import { patternOf } from './routing.ts';

/** What a bus has to do with a message after its handler was tried. */
export type Outcome =
  | { kind: 'done' }
  | { kind: 'retry'; delayMs: number; error: string }
  | { kind: 'dead'; attempts: number; error: string };

export interface DeliveryParts {
  metrics: BusMetrics;
  clock: Clock;
  logger: Logger;
}

/** Gives one message as received to its handler; `failures` is how often it failed before. Never rejects. */
export type Attempt = (body: string, failures: number) => Promise<Outcome>;

/** Deliveries that may end without an answer (the process died) before a message counts as poison. */
export const maxUnansweredDeliveries = 20;

/** The handler of a subscription with all that both buses do around it: checks, trace context, metrics, what comes next. */
export function createAttempt<Data>(queue: string, subscription: Subscription<Data>, parts: DeliveryParts): Attempt {
  const delays = subscription.retryDelaysMs ?? defaultRetryDelaysMs;
  parts.metrics.open(queue, ['handled', 'retried', 'dead_lettered']);
  return async (body, failures) => {
    const { error, observe, tell } = await handleOne(queue, subscription, body, parts);
    if (error === undefined) {
      observe('handled');
      return { kind: 'done' };
    }
    const attempts = failures + 1;
    const delayMs = error instanceof InvalidMessageError ? undefined : delays[failures];
    if (delayMs === undefined) {
      observe('dead_lettered');
      tell(() => parts.logger.error({ err: error, queue, attempts }, 'message is a dead letter'));
      return { kind: 'dead', attempts, error: errorText(error) };
    }
    observe('retried');
    tell(() => parts.logger.warn({ err: error, queue, attempts, delayMs }, 'message failed and is tried again'));
    return { kind: 'retry', delayMs, error: errorText(error) };
  };
}

/** Gives one message to a listener; what it misses by an error it makes up for by its `onGap`. */
export interface ListenerAttempt {
  hear(body: string): Promise<void>;
  /** Messages were missed: reloads, repeating until that succeeds or `signal` aborts. */
  missed(): Promise<void>;
}

export function createListenerAttempt<Data>(
  listener: Listener<Data>,
  parts: DeliveryParts & { random: () => number; signal: AbortSignal },
): ListenerAttempt {
  const queue = `listener.${patternOf(listener).key}`;
  parts.metrics.open(queue, ['handled', 'missed']);
  async function missed(): Promise<void> {
    const reload = listener.onGap;
    if (reload) await untilAvailable(() => reload(), { ...parts, what: `what ${queue} keeps current` });
  }
  return {
    missed,
    async hear(body) {
      const { error, observe, tell } = await handleOne(queue, listener, body, parts);
      observe(error === undefined ? 'handled' : 'missed');
      if (error === undefined) return;
      tell(() => parts.logger.error({ err: error, queue }, 'listener missed a message'));
      await missed();
    },
  };
}

async function handleOne<Data>(queue: string, interest: Interest<Data>, body: string, parts: DeliveryParts) {
  const began = performance.now();
  let lagMs: number | undefined;
  let context: RequestContext | undefined;
  const tell = (log: () => void) => (context ? withContext(context, log) : log());
  const observe = (outcome: Parameters<BusMetrics['observe']>[1]) =>
    parts.metrics.observe(queue, outcome, performance.now() - began, lagMs);
  try {
    const { message, handle } = prepare(interest, decodeBody(body));
    lagMs = parts.clock().getTime() - Date.parse(message.time);
    const orderId = orderOf(message);
    const traceparent = childTraceparent(message.traceparent);
    context = { requestId: message.id, traceparent, ...(orderId ? { orderId } : {}) };
    await withContext(context, handle);
    return { error: undefined, observe, tell };
  } catch (error) {
    return { error: error ?? new Error('handler threw nothing'), observe, tell };
  }
}

function prepare<Data>(interest: Interest<Data>, received: unknown): { message: Message; handle: () => Promise<void> } {
  if (interest.pattern) {
    const message = parseEnvelope(received);
    return { message, handle: () => interest.handle(message) };
  }
  const message = parseMessage(interest.message, received);
  return { message, handle: () => interest.handle(message) };
}

function errorText(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1_000);
}
