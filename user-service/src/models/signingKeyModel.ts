import { schemaOptions } from '@tradepost/shared/mongo';
import { type Connection, type Model, Schema } from 'mongoose';
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

const schema = new Schema<SigningKeyDocument>(
  {
    _id: part,
    sequence: { type: Number, required: true },
    x: part,
    y: part,
    sealed: { type: new Schema({ salt: part, nonce: part, ciphertext: part, tag: part }, { _id: false }) },
    createdAt: { type: Date, required: true },
    activeFrom: { type: Date, required: true },
  },
  { ...schemaOptions, collection: 'signing_keys', id: false },
).index({ sequence: 1 }, { unique: true });

export const createSigningKeyModel = (connection: Connection): SigningKeyModel =>
  connection.model<SigningKeyDocument>('SigningKey', schema);
