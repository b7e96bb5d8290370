import type { Model } from 'mongoose';
import type { Clock } from '../clock.ts';
import { detached } from '../context.ts';
import type { NewId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { Registry } from '../observability/metrics.ts';
import { BusUnavailableError, type EventBus } from './eventBus.ts';
import {
  type ClaimedDocument,
  type OutboxDocuments,
  openOutboxDocuments,
  type SettledDocument,
} from './outboxDocuments.ts';
import { createOutboxMetrics } from './outboxMetrics.ts';
import { exchangeOf } from './routing.ts';

export { type OutboxDocument, outboxFields } from './outboxDocuments.ts';

export interface OutboxRelay {
  /** Says that there is something to publish, so that nobody waits for the next poll. */
  wake(): void;
  start(): void;
  /** Ends after the documents that are being worked on. */
  stop(): Promise<void>;
  /** How many documents have messages that are not published yet. */
  depth(): Promise<number>;
}

export interface OutboxRelayOptions {
  /** Models whose documents have the outbox fields. The relay builds the index that it needs on them. */
  // biome-ignore lint/suspicious/noExplicitAny: mongoose's Model is invariant in its document
  sources: readonly Model<any>[];
  bus: Pick<EventBus, 'publish'>;
  clock: Clock;
  newId: NewId;
  logger: Logger;
  registry: Registry;
  /** Milliseconds between looks for messages of other processes. Default 500. */
  pollMs?: number;
  /** Milliseconds from the first wake-up to the look, so that messages written meanwhile go out together. Default 50. */
  gatherMs?: number;
  /** Milliseconds for which a document is taken. Default 15,000, more than a publish may take. */
  leaseMs?: number;
  /** Uniform in [0, 1), for jitter. */
  random?: () => number;
}

/** Documents that are claimed, published and settled together. */
const batchSize = 100;
const [firstPauseMs, maxBusPauseMs, maxDocumentPauseMs] = [100, 5_000, 60_000];

/**
 * Publishes what documents carry in their outbox. The messages of a document go out in order, and each is removed only
 * after the bus has taken it and all before it; a crash publishes again, never not at all. Several instances share the
 * work by a lease on each document.
 *
 * A bus that is not there stops the relay for 0.1 s, then twice as long each time, at most 5 s. A document whose first
 * message is refused for another reason is left alone for a while, at most a minute, and does not hold up others.
 */
export function createOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const { clock, logger, pollMs = 500, gatherMs = 50, random = Math.random } = options;
  const sources = options.sources.map(model => openOutboxDocuments(model, clock, options.leaseMs ?? 15_000));
  const metrics = createOutboxMetrics(sources, clock, options.registry);
  let running = false;
  let woken = false;
  let indexed = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<void> = Promise.resolve();

  /** Publishes what a document carries. `failure` is set when the bus is not there. */
  async function publishDocument({
    _id,
    messages,
    failures,
  }: ClaimedDocument): Promise<SettledDocument & { failure?: Error }> {
    // All on their way at once: the bus keeps the order of the calls, and only the confirmed head of the row is removed.
    const results = await Promise.allSettled(
      messages.map(async message => options.bus.publish(exchangeOf(message.type), message)),
    );
    const refused = results.findIndex(result => result.status === 'rejected');
    const published = (refused < 0 ? messages : messages.slice(0, refused)).map(message => message.id);
    metrics.published(published.length);
    if (refused < 0) return { _id, published };
    const { reason } = results[refused] as PromiseRejectedResult;
    if (reason instanceof BusUnavailableError) return { _id, published, failure: reason };
    const failed = refused > 0 ? 1 : failures + 1;
    const { id, type } = messages[refused]!;
    logger.error({ err: reason, document: _id, message: id, type, failed }, 'a message cannot be published');
    metrics.refused();
    return { _id, published, refused: { failures: failed, pauseMs: pause(failed, maxDocumentPauseMs) } };
  }

  const pause = (tries: number, most: number): number =>
    Math.min(most, firstPauseMs * 2 ** Math.min(tries, 20)) * (1 - random() / 2);

  async function drain(source: OutboxDocuments): Promise<void> {
    while (running) {
      const by = options.newId();
      const { claimed, isAll } = await source.claim(by, batchSize);
      const settled = await Promise.all(claimed.map(publishDocument));
      await source.settle(by, settled);
      const failed = settled.find(({ failure }) => failure !== undefined);
      if (failed) throw failed.failure;
      if (isAll) return;
    }
  }

  async function turn(): Promise<void> {
    try {
      if (!indexed) await Promise.all(sources.map(source => source.buildIndex()));
      indexed = true;
      woken = false;
      const drained = await Promise.allSettled(sources.map(drain));
      for (const one of drained) if (one.status === 'rejected') throw one.reason;
      failures = 0;
    } catch (error) {
      failures += 1;
      logger.warn({ err: error, failures }, 'the outbox could not be published; it is tried again');
    }
  }

  function schedule(ms: number): void {
    clearTimeout(timer);
    timer = undefined;
    if (!running) return;
    const look = () => {
      timer = undefined;
      work = turn().then(() => schedule(failures > 0 ? pause(failures, maxBusPauseMs) : woken ? gatherMs : pollMs));
    };
    timer = detached(() => setTimeout(look, ms));
  }

  return {
    wake() {
      if (timer && failures === 0 && !woken) schedule(gatherMs);
      woken = true;
    },
    start() {
      if (running) return;
      running = true;
      schedule(0);
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      timer = undefined;
      await work;
    },
    depth: metrics.depth,
  };
}
