import type { Exchange, Message, MessageDefinition } from './message.ts';
import type { MessagePattern } from './routing.ts';

/**
 * Topic publish and subscribe with acknowledgement, behind which RabbitMQ and the in-process bus stand.
 *
 * Delivery is at least once: a handler that has returned is never called again for that delivery, one that throws is
 * called again after a growing delay and after its last attempt the message is dead-lettered. Handlers must be
 * repeatable; messages of one queue may arrive in any order.
 */
export interface EventBus {
  /**
   * Hands a message to every queue bound to its exchange and type (the routing key).
   * Resolves only when the bus has durably taken it for all of them; a key that nobody listens to is taken and dropped,
   * but one that a durable queue is declared for and is not bound any more rejects.
   * @throws BusUnavailableError when the bus did not confirm in time: the message may or may not have been taken, so
   * the caller publishes it again under the same id.
   * @throws UnroutableMessageError when no queue is bound although one is declared for the key.
   * @throws InvalidMessageError when the message is larger than the bus carries.
   */
  publish(exchange: Exchange, message: Message): Promise<void>;

  /**
   * Starts consuming a durable queue shared by all instances of a service. Resolves when messages can arrive: while the
   * bus cannot be reached it waits. Closing the bus rejects it with BusUnavailableError.
   */
  subscribe<Data>(subscription: Subscription<Data>): Promise<Consumer>;

  /**
   * Starts consuming on a queue of this instance alone: every instance hears every message, nothing is kept for it
   * while it is away, and a message whose handler throws is not repeated. Resolves as `subscribe` does.
   */
  listen<Data>(listener: Listener<Data>): Promise<Consumer>;

  /**
   * Messages that failed for good, of all services, newest first.
   * @param query `queue` for one queue only, at most `limit` of them, those after (older than) the one with id `after`
   */
  deadLetters(query: { queue?: string; limit: number; after?: string }): Promise<DeadLetter[]>;

  /** Puts a dead letter back on its queue with a fresh count of attempts. False when there is none with that id. */
  replay(deadLetterId: string): Promise<boolean>;

  status(): 'up' | 'down';

  /** Stops delivering, waits for running handlers (at most 10 s), then closes. */
  close(): Promise<void>;
}

/**
 * What is listened for: one kind of message, checked against its contract, or by `pattern` every message whose exchange
 * and key fit, of which only the envelope is checked.
 */
export type Interest<Data> =
  | { message: MessageDefinition<Data>; pattern?: undefined; handle(message: Message<Data>): Promise<void> }
  | { message?: undefined; pattern: MessagePattern; handle(message: Message): Promise<void> };

export type Subscription<Data> = Interest<Data> & {
  /** Consuming service, as `payment-service`; the queue is named `<service>.<key>`. */
  service: string;
  /** Handlers that may run at once. Default 10. */
  concurrency?: number;
  /** Milliseconds to wait before each further attempt; one attempt more than entries, then dead letter. */
  retryDelaysMs?: readonly number[];
};

export type Listener<Data> = Interest<Data> & {
  /**
   * Called after messages were missed (the bus came back from an outage, or a handler threw): reload what they keep
   * current. Repeated until it succeeds.
   */
  onGap?(): Promise<void>;
};

export interface Consumer {
  /** Stops taking messages and waits for running handlers. */
  stop(): Promise<void>;
}

export interface DeadLetter {
  /** Safe in a URL path. */
  id: string;
  queue: string;
  /** As it was received; a string when it is no JSON. */
  message: unknown;
  error: string;
  attempts: number;
  /** RFC 3339. */
  deadAt: string;
}

/** Default delays between attempts, in milliseconds: five attempts in all. */
export const defaultRetryDelaysMs = [1_000, 5_000, 30_000, 120_000] as const;

/** The bus could not be reached or did not confirm in time; the outcome is unknown. */
export class BusUnavailableError extends Error {
  override name = 'BusUnavailableError';
}

/** No queue took the message although one is declared for its key: its binding is gone. Nothing was published. */
export class UnroutableMessageError extends Error {
  override name = 'UnroutableMessageError';
}
