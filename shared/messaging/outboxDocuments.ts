import mongoose, { type Model } from 'mongoose';
import type { Clock } from '../clock.ts';
import type { Message } from './message.ts';

/** Schema fields of a document that carries messages: they are pushed by the update that they tell of. */
export const outboxFields = {
  outbox: { type: [mongoose.Schema.Types.Mixed], default: [] },
  outboxLease: { type: mongoose.Schema.Types.Mixed },
  // Mongoose's types know no array of any objects for a field of a stricter document type.
} as unknown as { outbox: never; outboxLease: never };

/** A document that carries messages until they are published. */
export interface OutboxDocument {
  _id: string;
  outbox: Message[];
  outboxLease?: OutboxLease;
}

/** Which relay publishes a document's messages, and until when nobody else may. */
export interface OutboxLease {
  by: string;
  until: Date;
  /** How often in a row its first message was refused. */
  failures?: number;
}

/** A document whose messages this relay may publish. */
export interface ClaimedDocument {
  _id: string;
  messages: Message[];
  failures: number;
}

/** What became of a claimed document's messages. */
export interface SettledDocument {
  _id: string;
  /** Ids of the messages that the bus has taken, from the head of the outbox. */
  published: string[];
  /** How often in a row its first message was refused, and for how many milliseconds nobody tries again. */
  refused?: { failures: number; pauseMs: number };
}

/** Messages of one document that are on their way at once. */
const messagesPerClaim = 50;

/** Matches documents with messages by the index on their ids; message ids sort by time, so the oldest come first. */
const waiting = { 'outbox.id': { $gt: '' } };

/** One collection of documents with an outbox, as the relay sees it. */
export type OutboxDocuments = ReturnType<typeof openOutboxDocuments>;

/** @param leaseMs how long a claim holds, in milliseconds */
// biome-ignore lint/suspicious/noExplicitAny: mongoose's Model is invariant in its document
export function openOutboxDocuments(model: Model<any>, clock: Clock, leaseMs: number) {
  const collection = model.collection as unknown as mongoose.mongo.Collection<OutboxDocument>;
  const inMs = (ms: number) => new Date(clock().getTime() + ms);
  const free = () => ({
    ...waiting,
    $or: [{ outboxLease: { $exists: false } }, { 'outboxLease.until': { $lte: inMs(0) } }],
  });

  /** Which of the documents match. */
  async function idsOf(filter: Record<string, unknown>, documents: readonly OutboxDocument[]): Promise<Set<string>> {
    const those = { ...filter, _id: { $in: documents.map(({ _id }) => _id) } };
    const found = await collection.find(those, { projection: { _id: 1 } }).toArray();
    return new Set(found.map(({ _id }) => _id));
  }

  return {
    async buildIndex(): Promise<void> {
      await collection.createIndex({ 'outbox.id': 1 }, { sparse: true });
    },

    /**
     * Claims documents with messages that no relay has claimed, and answers what they carried. The claim is a changing,
     * journaled update that matches only a document that still has the messages as they were read: none is published that
     * a killed server could still forget. Several round trips less than a claim for each document.
     * @returns what was claimed; `isAll` when there was no more to claim
     */
    async claim(by: string, limit: number): Promise<{ claimed: ClaimedDocument[]; isAll: boolean }> {
      const read = await collection
        .find(free(), { projection: { outbox: { $slice: messagesPerClaim }, outboxLease: 1 } })
        .limit(limit)
        .toArray();
      if (read.length === 0) return { claimed: [], isAll: true };
      const update = { $set: { 'outboxLease.by': by, 'outboxLease.until': inMs(leaseMs) } };
      const { matchedCount } = await collection.bulkWrite(
        read.map(({ _id, outbox }) => ({ updateOne: { filter: { _id, ...free(), ...still(outbox) }, update } })),
        { ordered: false },
      );
      const mine = matchedCount === read.length ? undefined : await idsOf({ 'outboxLease.by': by }, read);
      return {
        isAll: read.length < limit && read.every(({ outbox }) => outbox.length < messagesPerClaim),
        claimed: read
          .filter(({ _id }) => mine?.has(_id) ?? true)
          .map(({ _id, outbox, outboxLease }) => ({ _id, messages: outbox, failures: outboxLease?.failures ?? 0 })),
      };
    },

    /** Removes published messages and gives the documents back, or leaves one alone whose first message was refused. */
    async settle(by: string, settled: readonly SettledDocument[]): Promise<void> {
      if (settled.length === 0) return;
      await collection.bulkWrite(
        settled.map(({ _id, published, refused }) => ({
          updateOne: {
            filter: { _id, 'outboxLease.by': by },
            update: {
              ...pull(published),
              ...(refused
                ? { $set: { 'outboxLease.until': inMs(refused.pauseMs), 'outboxLease.failures': refused.failures } }
                : { $unset: { outboxLease: '' } }),
            },
          },
        })),
        // Not journaled: what is forgotten is published again.
        { ordered: false, writeConcern: { w: 1, journal: false } },
      );
    },

    /** How many documents have messages. */
    count: (): Promise<number> => collection.countDocuments(waiting),

    /** When the oldest waiting message happened, in milliseconds since the epoch; undefined when none waits. */
    async oldest(): Promise<number | undefined> {
      const document = await collection
        .find(waiting, { projection: { 'outbox.time': 1 } })
        .sort({ 'outbox.id': 1 })
        .limit(1)
        .next();
      const times = document?.outbox.map(message => Date.parse(message.time)) ?? [];
      return times.length > 0 ? Math.min(...times) : undefined;
    },
  };
}

/** Matches an outbox that begins with the messages as they were read: ids are never used twice, and new ones come last. */
const still = (outbox: readonly Message[]) => ({
  'outbox.0.id': outbox[0]?.id,
  [`outbox.${outbox.length - 1}.id`]: outbox.at(-1)?.id,
});

const pull = (ids: string[]) => (ids.length > 0 ? { $pull: { outbox: { id: { $in: ids } } } } : {});
