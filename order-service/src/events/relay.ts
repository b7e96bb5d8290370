import type { Clock } from '@tradepost/shared/clock';
import { detached } from '@tradepost/shared/context';
import type { NewId } from '@tradepost/shared/ids';
import type { Logger } from '@tradepost/shared/logger';
import type { EventBus } from '@tradepost/shared/messaging/eventBus';
import type { Registry } from '@tradepost/shared/observability/metrics';
import { Counter, Gauge } from 'prom-client';
import type { Failpoint } from '../config.ts';
import { fold } from '../domain/order.ts';
import { NewerEventError } from '../domain/storedEvent.ts';
import type { CommitDocument, CommitModel } from '../models/commit.ts';
import { type EventStore, recorded } from './eventStore.ts';
import { messageOf } from './publishers.ts';
import type { ConfirmView } from './views.ts';

export interface Relay {
  /** Says that there is something to publish, so that nobody waits for the next poll. */
  wake(): void;
  start(): void;
  /** Ends after the batch that is being published. */
  stop(): Promise<void>;
}

export interface RelayDependencies {
  commits: CommitModel;
  confirmView: ConfirmView;
  eventStore: EventStore;
  bus: EventBus;
  /** Opens the saga of an order that was cancelled, so that what it took goes back. */
  wakeSaga(saga: { _id: string; userId: string }): Promise<void>;
  clock: Clock;
  newId: NewId;
  logger: Logger;
  registry: Registry;
  /** How long commits are kept from other instances, in milliseconds. */
  claimMs: number;
  failpoint: Failpoint;
}

const batchSize = 100;
const pollMs = 500;
/** From the first wake-up to the look: the commits of an order are mostly published together, and those of several orders. */
const gatherMs = 50;
const maxBackoffMs = 10_000;

/**
 * Publishes what is in the log and not yet published: per order in order of versions, marked only after the bus has
 * taken it. Several instances share the work by claims on commits; a claim is also the durable write without which
 * nobody acts on what another has written.
 */
export function createRelay(dependencies: RelayDependencies): Relay {
  const { commits, clock, logger, registry } = dependencies;
  const published = new Counter({
    name: 'outbox_published_total',
    help: 'Messages published',
    registers: [registry],
  });
  gauges(commits, clock, registry);
  let running = false;
  let woken = false;
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<void> = Promise.resolve();
  let failures = 0;

  const turn = async (): Promise<void> => {
    woken = false;
    try {
      for (;;) {
        const claimed = await claim(dependencies);
        if (claimed.length === 0) break;
        const { done, failed } = await publishAll(claimed, { ...dependencies, published: () => published.inc() });
        if (failed > 0) throw new Error(`${failed} commits could not be published`);
        // What is left follows commits that another instance holds: nothing is wrong, and the next poll looks again.
        if (claimed.length < batchSize || done === 0) break;
      }
      failures = 0;
    } catch (error) {
      failures += 1;
      logger.warn({ err: error, failures }, 'relay');
    }
  };
  const schedule = (ms: number): void => {
    clearTimeout(timer);
    if (!running) return;
    const look = () => {
      timer = undefined;
      work = turn().then(() =>
        schedule(failures ? Math.min(maxBackoffMs, 100 * 2 ** failures) : woken ? gatherMs : pollMs),
      );
    };
    timer = detached(() => setTimeout(look, ms));
  };
  return {
    wake() {
      if (running && timer && failures === 0 && !woken) schedule(gatherMs);
      woken = true;
    },
    start() {
      running = true;
      schedule(0);
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      await work;
    },
  };
}

/** The relay's parts, and who counts the messages. */
type Publishing = RelayDependencies & { published(): void };

/** Takes the oldest commits that nobody holds, in one write, and returns those that this call took. */
async function claim({ commits, clock, newId, claimMs }: RelayDependencies): Promise<CommitDocument[]> {
  const [now, by] = [clock(), newId()];
  const free = { pending: true as const, $or: [{ claim: { $exists: false } }, { 'claim.until': { $lte: now } }] };
  const found = await commits.find(free).sort({ _id: 1 }).limit(batchSize).select({ _id: 1, orderId: 1 }).lean();
  if (found.length === 0) return [];
  await commits.updateMany(
    { ...those(found), ...free },
    { $set: { claim: { by, until: new Date(now.getTime() + claimMs) } } },
  );
  return commits.find({ ...those(found), pending: true, 'claim.by': by }).lean();
}

/** Matches these commits, and names their orders, by which commits are spread over shards. */
const those = (found: readonly Pick<CommitDocument, '_id' | 'orderId'>[]) => ({
  orderId: { $in: [...new Set(found.map(commit => commit.orderId))] },
  _id: { $in: found.map(commit => commit._id) },
});

/** Publishes the claimed commits, orders side by side; says how many were marked, and how many went wrong. */
async function publishAll(
  claimed: CommitDocument[],
  dependencies: Publishing,
): Promise<{ done: number; failed: number }> {
  let failed = 0;
  const results = await Promise.all(
    [...Map.groupBy(claimed, commit => commit.orderId)].map(async ([orderId, ofOrder]) => {
      try {
        return await publishOrder(orderId, withoutGap(ofOrder), dependencies);
      } catch (error) {
        dependencies.logger.warn({ err: error, orderId }, 'relay: order');
        // What a later release wrote is left to its instances; nothing is wrong with the rest.
        if (!(error instanceof NewerEventError)) failed += ofOrder.length;
        return [];
      }
    }),
  );
  const done = results.flat();
  await dependencies.failpoint('order.relay.beforeMark');
  if (done.length > 0) {
    // Not journaled: if it is forgotten, they are published again.
    await dependencies.commits.updateMany(
      those(done),
      { $unset: { pending: 1, claim: 1 } },
      { writeConcern: { w: 1, journal: false } },
    );
  }
  await dependencies.failpoint('order.relay.afterMark');
  const left = claimed.filter(commit => !done.includes(commit));
  if (left.length > 0) {
    await dependencies.commits.updateMany(
      { ...those(left), 'claim.by': claimed[0]?.claim?.by },
      { $unset: { claim: 1 } },
    );
  }
  return { done: done.length, failed };
}

/** The commits in the order of versions up to the first that is missing: another instance holds that one, and it goes first. */
function withoutGap(ofOrder: readonly CommitDocument[]): CommitDocument[] {
  const sorted = ofOrder.toSorted((a, b) => a.version - b.version);
  const gap = sorted.findIndex(
    ({ version }, index) => index > 0 && version !== sorted[index - 1]!.version + sorted[index - 1]!.events.length,
  );
  return gap < 0 ? sorted : sorted.slice(0, gap);
}

/** View first, then saga, then messages; returns the commits that are through. */
async function publishOrder(
  orderId: string,
  ofOrder: CommitDocument[],
  dependencies: Publishing,
): Promise<CommitDocument[]> {
  const { commits, confirmView, eventStore, bus, failpoint, published } = dependencies;
  const first = ofOrder[0];
  const last = ofOrder.at(-1);
  if (!first || !last) return [];
  // An older commit that another instance holds goes first.
  if (first.version > 1 && (await commits.exists({ orderId, pending: true, version: { $lt: first.version } })))
    return [];
  await failpoint('order.relay.afterClaim');
  const upTo = last.version + last.events.length - 1;
  const stream =
    first.version === 1
      ? ofOrder.flatMap(recorded)
      : (await eventStore.load(orderId)).filter(event => event.version <= upTo);
  const order = fold(stream);
  if (!order) throw new Error(`order ${orderId} has commits but no stream`);
  await confirmView(orderId, order);
  await failpoint('order.relay.afterView');
  const saga = { _id: orderId, userId: order.userId };
  const through: CommitDocument[] = [];
  for (const commit of ofOrder) {
    const events = recorded(commit);
    if (events.some(event => event.type === 'OrderCancelled')) await dependencies.wakeSaga(saga);
    for (const event of events) {
      const message = messageOf(orderId, order, event, commit.traceparent);
      if (!message) continue;
      await failpoint('order.relay.beforePublish');
      await bus.publish('orders', message);
      published();
      await failpoint('order.relay.afterPublish');
    }
    through.push(commit);
  }
  return through;
}

function gauges(commits: CommitModel, clock: Clock, registry: Registry): void {
  new Gauge({
    name: 'outbox_depth',
    help: 'Documents with messages that wait to be published',
    registers: [registry],
    async collect() {
      this.set(await commits.countDocuments({ pending: true }).catch(() => Number.NaN));
    },
  });
  new Gauge({
    name: 'outbox_age_seconds',
    help: 'Age of the oldest message that waits to be published',
    registers: [registry],
    async collect() {
      try {
        const [oldest] = await commits.find({ pending: true }).sort({ _id: 1 }).limit(1).select({ at: 1 }).lean();
        this.set(oldest ? Math.max(0, clock().getTime() - oldest.at.getTime()) / 1_000 : 0);
      } catch {
        this.set(Number.NaN);
      }
    },
  });
}
