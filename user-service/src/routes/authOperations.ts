import { operation } from '@tradepost/shared/http/route';
import { z } from 'zod';
import { email, name, newPassword, password, refreshToken, signedIn, tokens } from './fields.ts';

const tag = 'Sign-in';

export const register = operation({
  id: 'register',
  summary: 'Make an account and sign in',
  tag,
  body: z.strictObject({ email, password: newPassword, name }),
  answers: {
    201: { description: 'The account and its first session', body: signedIn, headers: { Location: 'The account' } },
  },
  errors: ['email_taken'],
});

export const login = operation({
  id: 'login',
  summary: 'Sign in',
  description:
    'After ten failures for one account within 15 minutes further attempts are refused until one of them is over.',
  tag,
  body: z.strictObject({ email, password }),
  answers: { 200: { description: 'A new session', body: signedIn } },
  errors: ['invalid_credentials', 'too_many_attempts'],
});

export const refresh = operation({
  id: 'refresh',
  summary: 'Exchange a refresh token for new tokens',
  description: 'The old token is spent. Using a spent token ends the whole session.',
  tag,
  body: z.strictObject({ refreshToken }),
  answers: { 200: { description: 'The next tokens of the session', body: tokens } },
  errors: ['token_reused'],
});

export const logout = operation({
  id: 'logout',
  summary: 'End the session of a refresh token',
  description: 'Its access tokens are refused everywhere within seconds. A token that is no good is answered alike.',
  tag,
  body: z.strictObject({ refreshToken }),
  answers: { 204: { description: 'The session is over' } },
});

const publicKey = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
});

export const keySet = operation({
  id: 'getKeySet',
  summary: 'Public keys of the access tokens',
  description: 'A JSON Web Key Set (RFC 7517). New keys are published ten minutes before they sign.',
  tag,
  answers: {
    200: {
      description: 'The keys',
      body: z.strictObject({ keys: z.array(publicKey) }).meta({ id: 'KeySet' }),
      headers: { 'Cache-Control': 'How long the keys may be kept' },
    },
  },
});
