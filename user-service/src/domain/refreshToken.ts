import { createHash, createHmac, randomBytes } from 'node:crypto';

/**
 * A refresh token is two random values of 256 bits in base64url. The first stays the same for the life of a session,
 * the second is new with each refresh. A token with a known family and another secret is therefore one that was spent,
 * however long ago, without a record of every token that ever was; and nobody can end a session without having held one
 * of its tokens.
 */
export interface RefreshToken {
  family: string;
  secret: string;
}

const bytes = 32;
const characters = 43;

const randomSecret = () => randomBytes(bytes).toString('base64url');

/** The first token of a new session. */
export function newRefreshToken(): RefreshToken {
  return { family: randomSecret(), secret: randomSecret() };
}

/** A random value for `successorOf`, new for each refresh. */
export const newNonce = randomSecret;

/**
 * The token that follows on `token`. Whoever has the nonce and the token before can make it again, which lets a client
 * that lost the answer ask once more without a second live token.
 */
export function successorOf(token: RefreshToken, nonce: string): RefreshToken {
  return { family: token.family, secret: createHmac('sha256', nonce).update(token.secret).digest('base64url') };
}

/** The token as clients hold it. */
export function formatRefreshToken(token: RefreshToken): string {
  return token.family + token.secret;
}

/** Undefined for what cannot be one of ours. */
export function parseRefreshToken(token: string): RefreshToken | undefined {
  if (!/^[\w-]{86}$/.test(token)) return undefined;
  return { family: token.slice(0, characters), secret: token.slice(characters) };
}

/** What is stored in place of a value of a token. 256 random bits need no slow hash. */
export function tokenHash(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}
