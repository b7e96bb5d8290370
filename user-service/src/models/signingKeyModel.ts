import { createModel, createSchema, schemaOptions } from '@tradepost/shared/mongo';
import type { Connection, Model } from 'mongoose';
import type { Sealed } from '../domain/keyCipher.ts';

/** A key pair of the access tokens, shared by all instances. */
export interface SigningKeyDocument {
  /** `kid`: the thumbprint of the public key (RFC 7638). */
  _id: string;
  /** 1, 2, 3 …, unique: of two instances that make the next key one does. */
  sequence: number;
  /** Coordinates of the public key on P-256, as in a JSON Web Key. */
  x: string;
  y: string;
  /** The private key (PKCS 8, PEM), encrypted. */
  sealed: Sealed;
  createdAt: Date;
  /** From when on it signs; published before. */
  activeFrom: Date;
}

export type SigningKeyModel = Model<SigningKeyDocument>;

const part = { type: String, required: true };

const schema = createSchema<SigningKeyDocument>(
  {
    _id: part,
    sequence: { type: Number, required: true },
    x: part,
    y: part,
    sealed: { type: createSchema<Sealed>({ salt: part, nonce: part, ciphertext: part, tag: part }, { _id: false }) },
    createdAt: { type: Date, required: true },
    activeFrom: { type: Date, required: true },
  },
  { ...schemaOptions, collection: 'signing_keys', id: false },
).index({ sequence: 1 }, { unique: true });

export const createSigningKeyModel = (connection: Connection): SigningKeyModel =>
  createModel<SigningKeyDocument>(connection, 'SigningKey', schema);
