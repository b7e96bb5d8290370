import type { Clock } from '@tradepost/shared/clock';
import { currentContext } from '@tradepost/shared/context';
import type { NewId } from '@tradepost/shared/ids';
import { isDuplicateKey, shown } from '@tradepost/shared/mongo';
import type { OrderEvent, RecordedEvent } from '../domain/events.ts';
import { storedEvent, upcast } from '../domain/storedEvent.ts';
import type { CommitDocument, CommitModel } from '../models/commit.ts';

export interface EventStore {
  /**
   * Appends events after `version` in one atomic write.
   * @returns what was appended, or `conflict` when somebody else has appended after that version
   * @throws the driver's error when the outcome is unknown: read the stream and decide again
   */
  append(orderId: string, version: number, events: readonly OrderEvent[]): Promise<RecordedEvent[] | 'conflict'>;
  /** The stream of an order, empty when there is none. */
  load(orderId: string): Promise<RecordedEvent[]>;
  /** The stream as it may be shown to somebody: nothing in it is taken back by a failover. */
  show(orderId: string): Promise<RecordedEvent[]>;
  /**
   * The stream, made sure to be whole and durable before anybody acts on it: what another process wrote can be read before
   * it is journaled, and would be forgotten if the server were killed now; and a server that was replaced without knowing
   * it yet tells of the past.
   */
  loadDurable(orderId: string): Promise<RecordedEvent[]>;
  /** Every commit of every order in the order of time. */
  readAll(): AsyncIterable<{ orderId: string; events: RecordedEvent[] }>;
  /** The streams one order after the other, for rebuilding and auditing; commits are given as they are stored. */
  streams(after?: string): AsyncIterable<{ orderId: string; commits: CommitDocument[] }>;
}

/**
 * The append-only log of order events on MongoDB: one document per commit, unique by order and version.
 * @param onAppended hears of every commit of this process
 */
export function createEventStore(
  commits: CommitModel,
  clock: Clock,
  newId: NewId,
  onAppended: (events: readonly RecordedEvent[]) => void = () => {},
): EventStore {
  const stream = (orderId: string) => commits.find({ orderId }).sort({ version: 1 }).lean();
  const load = async (orderId: string) => (await stream(orderId)).flatMap(recorded);
  return {
    async append(orderId, version, events) {
      const at = clock();
      const traceparent = currentContext()?.traceparent;
      const commit: CommitDocument = {
        _id: newId(),
        orderId,
        version: version + 1,
        events: events.map(event => storedEvent(event)),
        at,
        ...(traceparent ? { traceparent } : {}),
        pending: true,
      };
      try {
        // The raw collection: the document is typed, and casting it again costs more than the insert.
        await commits.collection.insertOne(commit as never);
      } catch (error) {
        if (isDuplicateKey(error)) return 'conflict';
        throw error;
      }
      const appended = recorded(commit);
      onAppended(appended);
      return appended;
    },
    load,
    show: async orderId => (await stream(orderId).readConcern(shown)).flatMap(recorded),
    async loadDurable(orderId) {
      const events = await load(orderId);
      // One changing write finds and keeps the newest commit: whoever can still be asked for the stream and is primary no
      // more cannot make it, and one that only this server ever had is not found by it.
      const newest = await commits
        .findOneAndUpdate({ orderId }, { $inc: { seen: 1 } }, { sort: { version: -1 } })
        .lean();
      const isWhole = newest ? lastVersion(newest) === events.at(-1)?.version : events.length === 0;
      return isWhole ? events : this.loadDurable(orderId);
    },
    async *streams(after) {
      let stream: CommitDocument[] = [];
      const filter = after === undefined ? {} : { orderId: { $gt: after } };
      for await (const commit of commits
        .find(filter)
        .sort({ orderId: 1, version: 1 })
        .lean()
        .cursor({ batchSize: 500 })) {
        if (stream[0] && stream[0].orderId !== commit.orderId) {
          yield { orderId: stream[0].orderId, commits: stream };
          stream = [];
        }
        stream.push(commit);
      }
      if (stream[0]) yield { orderId: stream[0].orderId, commits: stream };
    },
    async *readAll() {
      for await (const commit of commits.find().sort({ _id: 1 }).lean().cursor({ batchSize: 500 })) {
        yield { orderId: commit.orderId, events: recorded(commit) };
      }
    },
  };
}

const lastVersion = ({ version, events }: CommitDocument): number => version + events.length - 1;

/** The events of a commit document with their versions and time. */
export function recorded(commit: Pick<CommitDocument, 'version' | 'events' | 'at'>): RecordedEvent[] {
  return commit.events.map((event, index) => ({ ...upcast(event), version: commit.version + index, at: commit.at }));
}
