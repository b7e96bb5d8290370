import jwt from 'jsonwebtoken';
import { JwksClient } from 'jwks-rsa';
import { z } from 'zod';
import { type Clock, systemClock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { accessTokenMs } from '../revocations.ts';
import type { Access, Actor } from './route.ts';
import { rememberVerified } from './verifiedTokens.ts';

/** What access tokens say of themselves, everywhere the same. */
export const tokenIssuer = 'tradepost';
export const tokenAudience = 'tradepost-api';
export const accessTokenType = 'at+jwt';
const serviceTokenType = 'service+jwt';
const serviceTokenSeconds = 60;

/** Verifies bearer tokens; rejects with `unauthenticated` for every bad one, with `service_unavailable` when it cannot tell. */
export type VerifyToken = (token: string) => Promise<Actor>;

/** Claims of an access token. `sid` is the session, `iat` and `exp` seconds since the epoch. */
const accessClaims = z.object({
  sub: z.string().min(1),
  role: z.enum(['customer', 'admin']),
  sid: z.string().min(1),
  iat: z.int(),
  exp: z.int(),
  jti: z.string().min(1),
});
export type AccessClaims = z.infer<typeof accessClaims>;

/** A public key in PEM by its `kid`; undefined when there is none. */
export type PublicKeyOf = (kid: string) => Promise<string | undefined>;

export interface AccessTokenOptions {
  /**
   * Address of the JSON Web Key Set, or the keys themselves where they are at hand. Undefined where `keySetUri` finds it
   * out anew each time.
   */
  jwksUri: string | PublicKeyOf | undefined;
  /** Where the key set is at this moment, for addresses that come and go; undefined while nobody knows. */
  keySetUri?: () => string | undefined;
  /** Whether the session behind these claims was ended after the token was made. */
  isRevoked?: (claims: AccessClaims) => boolean;
  /** What spaces the fetches of the key set; the system's own when left out. */
  clock?: Clock;
}

const invalid = (cause?: unknown) =>
  new AppError('unauthenticated', { detail: 'The access token is not valid', cause });

/**
 * Verifies users' access tokens (ES256, RFC 9068 type `at+jwt`) with the keys that user-service publishes. Keys are
 * cached, an unknown `kid` fetches them again at a bounded rate.
 */
export function createAccessTokenVerifier(options: AccessTokenOptions): VerifyToken {
  const publicKeyOf = typeof options.jwksUri === 'function' ? options.jwksUri : fetchedKeys(options);
  const claimsOf = rememberVerified(async token => {
    const decoded = decode(token);
    if (!isOfType(decoded, 'ES256', accessTokenType) || !decoded.header.kid) throw invalid();
    const key = await publicKeyOf(decoded.header.kid);
    if (!key) throw invalid();
    const claims = accessClaims.safeParse(
      check(token, key, { algorithms: ['ES256'], issuer: tokenIssuer, audience: tokenAudience }),
    );
    // The revocations of a session are kept for as long as its tokens live.
    if (!claims.success || claims.data.exp - claims.data.iat > accessTokenMs / 1000) throw invalid();
    return claims.data;
  });
  return async token => {
    const claims = await claimsOf(token);
    if (options.isRevoked?.(claims)) throw invalid();
    return { id: claims.sub, role: claims.role, sessionId: claims.sid };
  };
}

/** Milliseconds between two fetches of the key set, whatever `kid`s are asked for. */
const refetchMs = 3_000;
/** Milliseconds after which a key set is old, as its Cache-Control says. */
const keySetMs = 300_000;

/**
 * The published keys, fetched when an unknown `kid` appears, at most every 3 s, and anew every five minutes, so that a
 * key that was withdrawn is not good here for ever. A key that was seen stays known while the key set cannot be fetched,
 * so forged `kid`s and a user-service that is away do no harm to good tokens.
 */
function fetchedKeys({ jwksUri, keySetUri, clock = systemClock }: AccessTokenOptions): PublicKeyOf {
  const client = new JwksClient({
    jwksUri: String(jwksUri),
    ...(keySetUri ? { fetcher: () => fetchKeySet(keySetUri()) } : {}),
    cache: false,
    timeout: 2_000,
  });
  let known = new Map<string, string>();
  let [fetchedAt, renewedAt] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let fetching: Promise<void> | undefined;
  const refetch = async (): Promise<void> => {
    const keys = await client.getSigningKeys();
    known = new Map(keys.map(key => [key.kid, key.getPublicKey()]));
    fetchedAt = clock().getTime();
  };
  const refetchOnce = (): Promise<void> => {
    fetching ??= refetch().finally(() => {
      fetching = undefined;
    });
    return fetching;
  };
  /** Nobody waits for it: until it succeeds what was seen counts. */
  const renewIfOld = (now: number): void => {
    if (Math.abs(now - fetchedAt) < keySetMs || Math.abs(now - renewedAt) < refetchMs) return;
    renewedAt = now;
    refetchOnce().catch(() => {});
  };
  return async kid => {
    const now = clock().getTime();
    if (known.has(kid)) {
      renewIfOld(now);
      return known.get(kid);
    }
    if (Math.abs(now - fetchedAt) < refetchMs) return undefined;
    await refetchOnce().catch((cause: unknown) => {
      throw new AppError('service_unavailable', { detail: 'Token keys are not available', retryAfter: 1, cause });
    });
    return known.get(kid);
  };
}

async function fetchKeySet(uri: string | undefined): Promise<{ keys: unknown }> {
  if (!uri) throw new Error('no user-service is known');
  const response = await fetch(uri, { redirect: 'error', signal: AbortSignal.timeout(2_000) });
  if (!response.ok) throw new Error(`${uri} answered ${response.status}`);
  return (await response.json()) as { keys: unknown };
}

/** Verifies service tokens addressed to `callee`: HS256 with a key that only services have, at most 60 seconds long. */
export function createServiceTokenVerifier(callee: string, secret: string): VerifyToken {
  const claimsOf = z.object({ iss: z.string().min(1), iat: z.int(), exp: z.int() });
  return async token => {
    if (!isOfType(decode(token), 'HS256', serviceTokenType)) throw invalid();
    const claims = claimsOf.safeParse(check(token, secret, { algorithms: ['HS256'], audience: callee }));
    if (!claims.success || claims.data.exp - claims.data.iat > serviceTokenSeconds) throw invalid();
    return { id: claims.data.iss, role: 'service' };
  };
}

/** Makes service tokens of `caller`, each used for half of its life. */
export function createServiceTokenSigner(caller: string, secret: string, clock: Clock): (callee: string) => string {
  const made = new Map<string, { token: string; until: number }>();
  return callee => {
    const now = clock().getTime();
    const known = made.get(callee);
    if (known && known.until > now) return known.token;
    const token = jwt.sign({ iat: Math.floor(now / 1000) }, secret, {
      algorithm: 'HS256',
      issuer: caller,
      audience: callee,
      expiresIn: serviceTokenSeconds,
      header: { alg: 'HS256', typ: serviceTokenType },
    });
    made.set(callee, { token, until: now + (serviceTokenSeconds * 1000) / 2 });
    return token;
  };
}

/** A header with `crit` asks for what nobody here knows (RFC 7515 section 4.1.11). */
const isOfType = (token: jwt.Jwt | null, algorithm: string, type: string): token is jwt.Jwt =>
  token?.header.alg === algorithm && token.header.typ === type && !('crit' in token.header);

function decode(token: string): jwt.Jwt | null {
  try {
    return jwt.decode(token, { complete: true });
  } catch {
    return null;
  }
}

function check(token: string, key: string, options: jwt.VerifyOptions): unknown {
  try {
    return jwt.verify(token, key, { ...options, clockTolerance: 5 });
  } catch (error) {
    throw invalid(error);
  }
}

export interface Verifiers {
  user: VerifyToken;
  service: VerifyToken;
}

/**
 * Applies a route's rule to the caller.
 * @returns the caller, or undefined on a public route without a token
 * @throws AppError `unauthenticated`, or `forbidden` for the wrong role; `self` routes answer `not_found` for others
 */
export async function authorize(
  access: Access,
  authorization: string | undefined,
  params: Readonly<Record<string, unknown>>,
  verify: Verifiers,
): Promise<Actor | undefined> {
  if (authorization === undefined) {
    if (access === 'public') return undefined;
    throw new AppError('unauthenticated');
  }
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1];
  if (!token || token.length > 4096) throw invalid();
  const actor = await (access === 'service' ? verify.service : verify.user)(token);
  if (access === 'admin' && actor.role !== 'admin') throw new AppError('forbidden');
  if (access === 'self' && actor.role !== 'admin' && actor.id !== (params.userId ?? params.id))
    throw new AppError('not_found');
  return actor;
}
