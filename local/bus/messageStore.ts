import type { Clock } from '@tradepost/shared/clock';
import { deadLetterId } from '@tradepost/shared/messaging/deadLetterId';
import type { DeadLetter } from '@tradepost/shared/messaging/eventBus';
import { decodeBody } from '@tradepost/shared/messaging/message';
import { type DurableQueue, queueName } from '@tradepost/shared/messaging/routing';
import { buildIndexes, createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection } from 'mongoose';

/** A message that this bus instance may handle until its lease lapses. */
export interface ClaimedMessage {
  id: string;
  body: string;
  /** Times that a handler failed on it. */
  failures: number;
  /** Times that it was handed out, this one too. */
  deliveries: number;
}

export interface NewRow {
  queue: string;
  messageId: string;
  body: string;
  /** Stored as already claimed by this instance, which saves the claim. */
  claimed: boolean;
}

/**
 * One row per queue and message. A row is due when `visibleAt` has come; a claim or a retry moves that into the future;
 * a dead letter has none. Handled messages are deleted.
 */
interface Row {
  _id: string;
  queue: string;
  body: string;
  failures: number;
  deliveries: number;
  visibleAt?: Date | null;
  owner?: string | null;
  deadId?: string;
  deadAt?: Date;
  error?: string;
}

interface QueueRow extends DurableQueue {
  _id: string;
}

const messageSchema = createSchema<Row>(
  {
    _id: String,
    queue: String,
    body: String,
    failures: Number,
    deliveries: Number,
    visibleAt: Date,
    owner: String,
    deadId: String,
    deadAt: Date,
    error: String,
  },
  schemaOptions,
);
messageSchema.index({ queue: 1, visibleAt: 1 });
messageSchema.index({ deadId: 1 }, { unique: true, sparse: true });

const queueSchema = createSchema<QueueRow>(
  { _id: String, service: String, exchange: String, key: String },
  schemaOptions,
);

/** Id of a queue's copy of a message: the same message published again is known. */
export const rowId = (queue: string, messageId: string): string => `${queue}|${messageId}`;

/** All that the in-process bus does in the document store; single-document changes only. */
export type MessageStore = Awaited<ReturnType<typeof openMessageStore>>;

/**
 * @param owner name of this bus instance in its leases
 * @param leaseMs how long a claim holds unless it is renewed
 */
export async function openMessageStore(connection: Connection, clock: Clock, owner: string, leaseMs: number) {
  const queueModel = createModel<QueueRow>(connection, 'BusQueue', queueSchema, 'queues');
  createModel<Row>(connection, 'BusMessage', messageSchema, 'messages');
  await connection.asPromise();
  await buildIndexes(connection);
  // The driver's collection: rows are written here only, and casting each would cost more than the rest of the work.
  const rows = connection.collection<Row>('messages');
  const inMs = (ms: number) => new Date(clock().getTime() + ms);
  const claimed = (row: Row, deliveries = row.deliveries): ClaimedMessage => {
    return { id: row._id, body: row.body, failures: row.failures, deliveries };
  };

  return {
    async declare(queue: DurableQueue): Promise<void> {
      await queueModel.updateOne({ _id: queueName(queue) }, { $set: queue }, { upsert: true });
    },

    async declared(): Promise<DurableQueue[]> {
      return queueModel.find().lean();
    },

    /** Adds rows; one that is already there counts as added. @returns per row `added`, `known` or its error */
    async insert(batch: NewRow[]): Promise<('added' | 'known' | Error)[]> {
      const [now, leased] = [inMs(0), inMs(leaseMs)];
      const documents = batch.map((row): Row => {
        const base = { _id: rowId(row.queue, row.messageId), queue: row.queue, body: row.body, failures: 0 };
        return row.claimed
          ? { ...base, deliveries: 1, visibleAt: leased, owner }
          : { ...base, deliveries: 0, visibleAt: now };
      });
      const results: ('added' | 'known' | Error)[] = batch.map(() => 'added');
      try {
        await rows.insertMany(documents, { ordered: false });
      } catch (error) {
        for (const { index, code, errmsg } of writeErrorsOf(error)) {
          results[index] = code === 11000 ? 'known' : new Error(errmsg);
        }
      }
      return results;
    },

    /** Claims up to `limit` due messages of a queue, oldest first, without those that this instance still works on. */
    async claim(queue: string, limit: number, isHeld: (id: string) => boolean): Promise<ClaimedMessage[]> {
      const [now, leased] = [inMs(0), inMs(leaseMs)];
      const due = await rows
        .find({ queue, visibleAt: { $lte: now } })
        .sort({ visibleAt: 1 })
        .limit(limit)
        .toArray();
      const candidates = due.filter(row => !isHeld(row._id));
      if (candidates.length === 0) return [];
      const ids = candidates.map(row => row._id);
      const { modifiedCount } = await rows.updateMany(
        { _id: { $in: ids }, visibleAt: { $lte: now } },
        { $set: { visibleAt: leased, owner }, $inc: { deliveries: 1 } },
      );
      if (modifiedCount === candidates.length) return candidates.map(row => claimed(row, row.deliveries + 1));
      const mine = await rows.find({ _id: { $in: ids }, owner, visibleAt: leased }).toArray();
      return mine.map(row => claimed(row));
    },

    /** Those of the named queues that have due messages. */
    async due(queues: string[]): Promise<string[]> {
      return rows.distinct('queue', { queue: { $in: queues }, visibleAt: { $lte: inMs(0) } });
    },

    async renew(ids: string[]): Promise<void> {
      await rows.updateMany({ _id: { $in: ids }, owner }, { $set: { visibleAt: inMs(leaseMs) } });
    },

    /** Deletes what was handled. */
    async remove(ids: string[]): Promise<void> {
      await rows.deleteMany({ _id: { $in: ids } });
    },

    /** Puts a failed message back, due again in `delayMs`. */
    async retry(id: string, delayMs: number): Promise<void> {
      await rows.updateOne(
        { _id: id, owner },
        { $set: { visibleAt: inMs(delayMs) }, $inc: { failures: 1 }, $unset: { owner: 1 } },
      );
    },

    /** Gives back messages that were claimed and not begun. */
    async release(ids: string[]): Promise<void> {
      await rows.updateMany(
        { _id: { $in: ids }, owner },
        { $set: { visibleAt: inMs(0) }, $inc: { deliveries: -1 }, $unset: { owner: 1 } },
      );
    },

    /** Makes due at once whatever other instances had claimed: for the only process on this store, after a kill. */
    async takeOver(): Promise<void> {
      await rows.updateMany({ owner: { $gt: '' } }, { $set: { visibleAt: inMs(0) }, $unset: { owner: 1 } });
    },

    async bury(queue: string, message: ClaimedMessage, attempts: number, error: string): Promise<void> {
      const deadAt = inMs(0);
      await rows.updateOne(
        { _id: message.id, owner },
        {
          $set: { failures: attempts, error, deadAt, deadId: deadLetterId(deadAt, queue, message.body) },
          $unset: { visibleAt: 1, owner: 1 },
        },
      );
    },

    async deadLetters(query: { queue?: string; limit: number; after?: string }): Promise<DeadLetter[]> {
      const found = await rows
        .find({
          deadId: { $gt: '', ...(query.after ? { $lt: query.after } : {}) },
          ...(query.queue ? { queue: query.queue } : {}),
        })
        .sort({ deadId: -1 })
        .limit(query.limit)
        .toArray();
      return found.map(row => ({
        id: row.deadId ?? '',
        queue: row.queue,
        message: decodeBody(row.body),
        error: row.error ?? '',
        attempts: row.failures,
        deadAt: row.deadAt?.toISOString() ?? '',
      }));
    },

    /** Puts a dead letter back on its queue. @returns the queue's name, undefined when there is no such letter */
    async replay(deadId: string): Promise<string | undefined> {
      const row = await rows.findOneAndUpdate(
        { deadId },
        {
          $set: { visibleAt: inMs(0), failures: 0, deliveries: 0 },
          $unset: { deadId: 1, deadAt: 1, error: 1 },
        },
      );
      return row?.queue;
    },
  };
}

interface WriteError {
  index: number;
  code: number;
  errmsg: string;
}

/**
 * The refusals of single rows in a failed insert. The driver uses the same error for a lost connection, with no refusal
 * in it, and may hide a failed write concern behind refusals.
 * @throws the error itself when it is of another kind
 */
function writeErrorsOf(error: unknown): WriteError[] {
  const { writeErrors, result } = error as {
    writeErrors?: WriteError | WriteError[];
    result?: { getWriteConcernError?(): unknown };
  };
  const refusals = [writeErrors ?? []].flat();
  if (refusals.length === 0 || result?.getWriteConcernError?.()) throw error;
  return refusals;
}
