import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import { StartError } from '@tradepost/shared/lifecycle';
import type { Logger } from '@tradepost/shared/logger';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import { accessTokenMs } from '@tradepost/shared/revocations';
import { seal, unseal } from '../domain/keyCipher.ts';
import { publishedKeysAt, signingKeyAt } from '../domain/signingKeys.ts';
import type { SigningKeyDocument, SigningKeyModel } from '../models/signingKeyModel.ts';

/** Milliseconds after which an instance reads keys that others made. */
const reloadMs = 60_000;
/** Milliseconds between reloads for unknown key ids, which anybody can send. */
const unknownReloadMs = 1_000;
/** Milliseconds that an instance may be late in switching to a new key, with room for differences between clocks. */
export const switchSlackMs = 5 * 60_000;

interface Key {
  kid: string;
  activeFrom: Date;
  privateKey: KeyObject;
  publicPem: string;
  jwk: PublicJwk;
}

/** A public key as RFC 7517 writes it. */
export interface PublicJwk {
  kty: 'EC';
  crv: 'P-256';
  x: string;
  y: string;
  kid: string;
  alg: 'ES256';
  use: 'sig';
}

export interface KeyRing {
  /** The key that signs now. */
  signingKey(): { kid: string; privateKey: KeyObject };
  publicKeyOf(kid: string): Promise<string | undefined>;
  /** The public keys whose tokens may be about, and those that sign next. */
  published(): PublicJwk[];
  /** Makes the first key when there is none, and reads all. Rejects when TOKEN_KEY_SECRET does not open them. */
  start(): Promise<void>;
  stop(): void;
}

export interface KeyRingDependencies {
  keys: SigningKeyModel;
  secret: string;
  clock: Clock;
  logger: Logger;
}

/** The signing keys of the access tokens, in memory as all instances share them in the database. */
export function createKeyRing(dependencies: KeyRingDependencies): KeyRing {
  const { keys: model, clock, logger } = dependencies;
  let ring: Key[] = [];
  let loadedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  async function load(): Promise<void> {
    loadedAt = performance.now();
    const stored = await model.find().sort({ sequence: 1 }).lean();
    const known = new Map(ring.map(key => [key.kid, key]));
    ring = stored.map(one => known.get(one._id) ?? open(one, dependencies.secret));
  }

  const published = () => publishedKeysAt(ring, clock(), accessTokenMs, switchSlackMs);

  return {
    signingKey() {
      const key = signingKeyAt(ring, clock());
      if (!key) throw new AppError('service_unavailable', { detail: 'Token keys are not available', retryAfter: 1 });
      return key;
    },
    async publicKeyOf(kid) {
      const find = () => published().find(key => key.kid === kid)?.publicPem;
      if (!find() && performance.now() - loadedAt > unknownReloadMs) await load();
      return find();
    },
    published: () => published().map(key => key.jwk),
    async start() {
      if ((await model.findOne().lean()) === null) await addKey(dependencies, 1, clock());
      await load();
      timer ??= setInterval(() => {
        load().catch((error: unknown) => logger.warn({ err: error }, 'signing keys cannot be read again'));
      }, reloadMs).unref();
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * Stores a new key pair as number `sequence`.
 * @returns false when another instance has made that number already
 */
export async function addKey(
  { keys, secret, clock }: Pick<KeyRingDependencies, 'keys' | 'secret' | 'clock'>,
  sequence: number,
  activeFrom: Date,
): Promise<boolean> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string };
  const kid = thumbprint(x, y);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  try {
    await keys.create({ _id: kid, sequence, x, y, sealed: seal(pem, secret, kid), createdAt: clock(), activeFrom });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/** RFC 7638: the hash of the required members in lexical order. */
function thumbprint(x: string, y: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
    .digest('base64url');
}

function open(stored: SigningKeyDocument, secret: string): Key {
  const { _id: kid, x, y, activeFrom } = stored;
  const jwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' };
  return { kid, activeFrom, privateKey: openPrivateKey(stored, secret), publicPem: pemOf(jwk), jwk };
}

function openPrivateKey({ _id, sealed }: SigningKeyDocument, secret: string): KeyObject {
  try {
    return createPrivateKey(unseal(sealed, secret, _id));
  } catch (cause) {
    throw new StartError('TOKEN_KEY_SECRET: is not the one that the signing keys in the database were stored under', {
      cause,
    });
  }
}

function pemOf(jwk: PublicJwk): string {
  return createPublicKey({ key: { ...jwk }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}
