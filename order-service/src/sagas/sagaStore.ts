import type { Clock } from '@tradepost/shared/clock';
import { currentContext } from '@tradepost/shared/context';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import type { SagaDocument, SagaModel } from '../models/saga.ts';

export type NewSaga = Omit<
  SagaDocument,
  'fence' | 'wake' | 'leaseUntil' | 'nextRunAt' | 'attempts' | 'createdAt' | 'keyExpiresAt'
>;

/** A lease on an order: whoever holds the newest fence may write the saga document. */
export type Lease = SagaDocument;

/** By what an order's saga is found: documents are spread over shards by their users, so the order alone asks every shard. */
export type SagaKey = Pick<SagaDocument, '_id' | 'userId'>;

export interface SagaStore {
  /** Inserts the document before anything else happens, leased to the caller; `taken` when user and key are in use. */
  insert(saga: NewSaga): Promise<Lease | 'taken'>;
  find(saga: SagaKey): Promise<SagaDocument | null>;
  /** The document of a user's Idempotency-Key, made sure to be durable; null when there is none or it is over 24 hours old. */
  findByKey(userId: string, key: string): Promise<SagaDocument | null>;
  /** Takes the lease when nobody holds it and the saga is due; null otherwise. */
  take(saga: SagaKey): Promise<Lease | null>;
  /** Orders that somebody should work on now. */
  due(limit: number): Promise<SagaKey[]>;
  /** Extends the lease; false when it was taken by somebody else. */
  renew(lease: Lease): Promise<boolean>;
  /** Ends the saga; false when it was woken or taken over since `lease` was read. */
  finish(lease: Lease): Promise<boolean>;
  /** Gives the lease back after a failed run, to be tried again at `nextRunAt`; by the operator, if `park` and nobody woke it. */
  fail(lease: Lease, failure: { error: string; nextRunAt: Date; park: boolean }): Promise<void>;
  /** Opens the saga of an order, whatever its state, so that somebody looks at the stream again; its user may be unknown. */
  wake(saga: Pick<SagaKey, '_id'> & Partial<SagaKey>, onlyRunning?: boolean): Promise<boolean>;
  /** Frees the Idempotency-Keys that are over 24 hours old. */
  expireKeys(): Promise<void>;
  /** Erases what is known about a person: addresses, and the keys with their answers. */
  erase(userId: string): Promise<void>;
  /** The parked sagas, oldest first. */
  parked(limit: number, after?: string): Promise<SagaDocument[]>;
}

const keyLifeMs = 24 * 60 * 60 * 1000;
const free = new Date(0);
const keyOf = ({ _id, userId }: SagaKey): SagaKey => ({ _id, userId });

export function createSagaStore(sagas: SagaModel, clock: Clock, leaseMs: number): SagaStore {
  const until = (from: Date) => new Date(from.getTime() + leaseMs);
  const expireKeys = async (now: Date) => {
    await sagas.deleteMany({ keyExpiresAt: { $lte: now }, status: 'refused' });
    await sagas.updateMany({ keyExpiresAt: { $lte: now } }, { $unset: { key: 1, fingerprint: 1, keyExpiresAt: 1 } });
  };
  return {
    async insert(saga) {
      const now = clock();
      const refused = saga.status === 'refused';
      const traceparent = currentContext()?.traceparent;
      const document: SagaDocument = {
        ...saga,
        fence: 1,
        wake: 0,
        leaseUntil: refused ? free : until(now),
        nextRunAt: refused ? free : until(now),
        attempts: 0,
        createdAt: now,
        ...(traceparent ? { traceparent } : {}),
        keyExpiresAt: new Date(now.getTime() + keyLifeMs),
      };
      try {
        await sagas.collection.insertOne(document as never);
        return document;
      } catch (error) {
        if (isDuplicateKey(error)) return 'taken';
        throw error;
      }
    },
    find: ({ _id, userId }) => sagas.findOne({ _id, userId }).lean(),
    async findByKey(userId, key) {
      const now = clock();
      // A new key, as nearly all are, costs no write.
      if (!(await sagas.exists({ userId, key }))) return null;
      const found = await sagas
        .findOneAndUpdate({ userId, key }, { $inc: { seen: 1 } }, { returnDocument: 'after' })
        .lean();
      if (!found?.keyExpiresAt || found.keyExpiresAt > now) return found;
      await expireKeys(now);
      return null;
    },
    take({ _id, userId }) {
      const now = clock();
      return sagas
        .findOneAndUpdate(
          { _id, userId, status: 'running', leaseUntil: { $lte: now }, nextRunAt: { $lte: now } },
          { $inc: { fence: 1 }, $set: { leaseUntil: until(now), nextRunAt: until(now) } },
          { returnDocument: 'after' },
        )
        .lean();
    },
    async due(limit) {
      const now = clock();
      return sagas
        .find({ status: 'running', nextRunAt: { $lte: now }, leaseUntil: { $lte: now } })
        .sort({ nextRunAt: 1 })
        .limit(limit)
        .select({ _id: 1, userId: 1 })
        .lean();
    },
    async renew(lease) {
      const leaseUntil = until(clock());
      const renewed = await sagas.updateOne(
        { ...keyOf(lease), fence: lease.fence },
        { $set: { leaseUntil, nextRunAt: leaseUntil } },
      );
      if (renewed.matchedCount === 1) lease.leaseUntil = leaseUntil;
      return renewed.matchedCount === 1;
    },
    async finish(lease) {
      const ended = await sagas.updateOne(
        { ...keyOf(lease), fence: lease.fence, wake: lease.wake },
        { $set: { status: 'done', leaseUntil: free, attempts: 0 }, $unset: { token: 1, lastError: 1 } },
        // Not journaled: if it is forgotten, somebody finds once more that there is nothing left to do.
        { writeConcern: { w: 1, journal: false } },
      );
      return ended.matchedCount === 1;
    },
    async fail(lease, { error, nextRunAt, park }) {
      const fenced = { ...keyOf(lease), fence: lease.fence };
      const write = (status: SagaDocument['status'], filter: object) =>
        sagas.updateOne(filter, {
          $set: { status, leaseUntil: free, nextRunAt, lastError: error },
          $inc: { attempts: 1 },
        });
      // Whoever has woken the saga meanwhile wants it looked at, not parked.
      const parked = park && (await write('needs_attention', { ...fenced, wake: lease.wake })).matchedCount === 1;
      if (!parked) await write('running', fenced);
    },
    async wake({ _id, userId }, onlyRunning = false) {
      const woken = await sagas.updateOne(
        {
          _id,
          ...(userId === undefined ? {} : { userId }),
          status: onlyRunning ? 'running' : { $ne: 'refused' },
        },
        { $inc: { wake: 1 }, $set: { status: 'running', nextRunAt: clock(), attempts: 0 } },
      );
      return woken.matchedCount === 1;
    },
    expireKeys: () => expireKeys(clock()),
    async erase(userId) {
      await sagas.deleteMany({ userId, status: 'refused' });
      await sagas.updateMany({ userId }, { $unset: { shippingAddress: 1, key: 1, fingerprint: 1, keyExpiresAt: 1 } });
    },
    parked: (limit, after) =>
      sagas
        .find({ status: 'needs_attention', ...(after ? { _id: { $gt: after } } : {}) })
        .sort({ _id: 1 })
        .limit(limit)
        .lean(),
  };
}
