import type { Clock } from '@tradepost/shared/clock';
import { createModel, createSchema, isDuplicateKey, schemaOptions } from '@tradepost/shared/mongo';
import DataLoader from 'dataloader';
import type { Connection } from 'mongoose';
import { type Charge, ProviderError, type Refund } from './provider.ts';

/** A charge in the simulated provider's books, with its refunds. */
export interface LedgerRow {
  /** Idempotency key of the charge. */
  _id: string;
  providerId: string;
  amount: number;
  currency: string;
  token: string;
  /** `failing` has answered only with server errors so far and may still end either way. */
  state: 'failing' | 'captured' | 'declined' | 'cancelled';
  reason?: string;
  failures: number;
  left: number;
  refunds: { key: string; amount: number }[];
  /** Grows whenever somebody acts on what somebody else wrote. */
  seen: number;
  createdAt: Date;
}

const schema = createSchema<LedgerRow>(
  {
    _id: { type: String, required: true },
    providerId: { type: String, required: true },
    amount: { type: Number, required: true },
    currency: { type: String, required: true },
    token: { type: String, required: true },
    state: { type: String, enum: ['failing', 'captured', 'declined', 'cancelled'], required: true },
    reason: String,
    failures: { type: Number, required: true },
    left: { type: Number, required: true },
    refunds: {
      type: [createSchema<{ key: string; amount: number }>({ key: String, amount: Number }, { _id: false })],
      required: true,
    },
    seen: { type: Number, required: true },
    createdAt: { type: Date, required: true },
  } as never,
  { ...schemaOptions, collection: 'provider_charges' },
);
schema.index({ 'refunds.key': 1 }, { unique: true, partialFilterExpression: { 'refunds.key': { $exists: true } } });

export type Decision = { state: 'captured' } | { state: 'declined' | 'cancelled'; reason: string };

/** The simulated provider's books: durable, one row per idempotency key, every change one conditional update. */
export function createSimulatedLedger(connection: Connection, tools: { clock: Clock; newId: () => string }) {
  const rows = createModel<LedgerRow>(connection, 'ProviderCharge', schema);
  const change = (filter: object, update: object) =>
    rows.findOneAndUpdate(filter, update, { returnDocument: 'after' }).lean<LedgerRow>();

  const sameCharge = ({ orderId: _id, amount, currency, token }: Charge) => ({ _id, amount, currency, token });

  const newRow = (charge: Charge): LedgerRow => ({
    ...sameCharge(charge),
    providerId: `sim_${tools.newId()}`,
    state: 'failing',
    failures: 0,
    left: 0,
    refunds: [],
    seen: 0,
    createdAt: tools.clock(),
  });

  async function insert(row: LedgerRow): Promise<boolean> {
    try {
      await rows.collection.insertOne(row as never);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /**
   * The row of a charge, touched by a journaled write so that nobody acts on what a crash would take back.
   * @throws ProviderError `refused` when the key was used with other parameters
   */
  async function claim(charge: Charge): Promise<LedgerRow | null> {
    const row = await change({ _id: charge.orderId }, { $inc: { seen: 1 } });
    const same = !row || (['amount', 'currency', 'token'] as const).every(name => row[name] === charge[name]);
    if (!same) throw new ProviderError('refused', 'The idempotency key was used with other parameters');
    return row;
  }

  const touch = (orderId: string) => change({ _id: orderId }, { $inc: { seen: 1 } });

  /** The rows of keys that are asked for at the same time, touched by one write: an audit asks for every row there is. */
  const looks = new DataLoader<string, LedgerRow | null>(
    async ids => {
      const found = await rows.find({ _id: { $in: ids } }).lean<LedgerRow[]>();
      const touches = found.map(({ _id, state, failures, left }) => ({
        updateOne: { filter: { _id, state, failures, left }, update: { $inc: { seen: 1 } } },
      }));
      const matched = touches.length === 0 ? 0 : (await rows.bulkWrite(touches, { ordered: false })).matchedCount;
      // One is no longer as it was read, and which is not told.
      if (matched !== found.length) return Array.fromAsync(ids, touch);
      const byId = new Map(found.map(row => [row._id, row]));
      return ids.map(id => byId.get(id) ?? null);
    },
    { cache: false, maxBatchSize: 100 },
  );

  return {
    claim,

    /** Counts one more server error, unless the charge is decided by then. */
    async fail(charge: Charge): Promise<LedgerRow> {
      for (;;) {
        const row = await change({ ...sameCharge(charge), state: 'failing' }, { $inc: { failures: 1 } });
        if (row) return row;
        const first = { ...newRow(charge), failures: 1 };
        if (await insert(first)) return first;
        const known = await claim(charge);
        if (known && known.state !== 'failing') return known;
      }
    },

    /** Decides a charge once; `first` for the call that did it. */
    async decide(charge: Charge, decision: Decision): Promise<{ row: LedgerRow; first: boolean }> {
      const decided = { ...decision, left: decision.state === 'captured' ? charge.amount : 0 };
      for (;;) {
        const fresh = { ...newRow(charge), ...decided };
        if (await insert(fresh)) return { row: fresh, first: true };
        const row = await change({ ...sameCharge(charge), state: 'failing' }, { $set: decided });
        if (row) return { row, first: true };
        const known = await claim(charge);
        if (known && known.state !== 'failing') return { row: known, first: false };
      }
    },

    /**
     * Gives back money once per key.
     * @throws ProviderError `refused` for a key with other parameters, an unknown charge, or more than is left
     */
    async refund(refund: Refund): Promise<void> {
      const { id: key, orderId, providerId, amount } = refund;
      const open = { _id: orderId, providerId, left: { $gte: amount }, 'refunds.key': { $ne: key } };
      try {
        if (await change(open, { $push: { refunds: { key, amount } }, $inc: { left: -amount } })) return;
      } catch (error) {
        if (isDuplicateKey(error)) throw new ProviderError('refused', 'The refund key belongs to another charge');
        throw error;
      }
      const row = await change({ _id: orderId, providerId }, { $inc: { seen: 1 } });
      const known = row?.refunds.find(one => one.key === key);
      if (known?.amount === amount) return;
      throw new ProviderError(
        'refused',
        known ? 'The refund key was used with other parameters' : 'There is not so much left to refund',
      );
    },

    /** The row of a key, touched likewise. */
    look: (orderId: string) => looks.load(orderId),

    /** Rows in the order of their keys. */
    page: (limit: number, after?: string) =>
      rows
        .find(after === undefined ? {} : { _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<LedgerRow[]>(),
  };
}
