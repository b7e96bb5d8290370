import { type OutboxDocument, outboxFields } from '@tradepost/shared/messaging/outbox';
import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';

export type Role = 'customer' | 'admin';

export interface StoredAddress {
  id: string;
  name: string;
  line1: string;
  line2?: string;
  city: string;
  region?: string;
  postcode: string;
  country: string;
  phone?: string;
}

/**
 * What is left to do after a change of an account, repeated until it is done: `sessions` ends those that the last
 * password change left behind, `erase` removes what a deleted account has in other collections.
 */
export type Cleanup = 'sessions' | 'erase';

/** An account; after its deletion a tombstone that has only ids, counters and times. */
export interface UserDocument extends OutboxDocument {
  /** Normalised; absent once deleted, so that the address is free again. */
  email?: string;
  name?: string;
  passwordHash?: string;
  role: Role;
  addresses: StoredAddress[];
  createdAt: Date;
  /** Counts changes of the password. */
  credentials: number;
  /** The session that made the last change of the password and outlives it. */
  keptSession?: string | null;
  roleChangedAt?: Date;
  deletedAt: Date | null;
  cleanup?: Cleanup;
}

export type UserModel = Model<UserDocument>;

const address = createSchema<StoredAddress>(
  {
    id: { type: String, required: true },
    name: { type: String, required: true },
    line1: { type: String, required: true },
    line2: String,
    city: { type: String, required: true },
    region: String,
    postcode: { type: String, required: true },
    country: { type: String, required: true },
    phone: String,
  },
  { _id: false, id: false, strict: 'throw' },
);

const schema = createSchema<UserDocument>(
  {
    _id: { type: String, required: true },
    email: String,
    name: String,
    passwordHash: String,
    role: { type: String, enum: ['customer', 'admin'], required: true },
    addresses: { type: [address], required: true },
    createdAt: { type: Date, required: true },
    credentials: { type: Number, required: true },
    keptSession: { type: String, default: null },
    roleChangedAt: Date,
    deletedAt: { type: Date, default: null },
    cleanup: { type: String, enum: ['sessions', 'erase'] },
    ...outboxFields,
  },
  { ...schemaOptions, collection: 'users', id: false },
)
  .index({ email: 1 }, { unique: true, sparse: true })
  .index({ deletedAt: 1, _id: -1 })
  .index({ roleChangedAt: 1 }, { sparse: true })
  .index({ cleanup: 1 }, { sparse: true });

export const createUserModel = (connection: Connection): UserModel =>
  createModel<UserDocument>(connection, 'User', schema);
