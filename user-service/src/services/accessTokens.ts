import type { Clock } from '@tradepost/shared/clock';
import { accessTokenType, tokenAudience, tokenIssuer } from '@tradepost/shared/http/auth';
import type { NewId } from '@tradepost/shared/ids';
import { accessTokenMs } from '@tradepost/shared/revocations';
import jwt from 'jsonwebtoken';
import type { Role } from '../models/userModel.ts';
import type { KeyRing } from './keyRing.ts';

/** Seconds that an access token lives. */
export const accessTokenSeconds = accessTokenMs / 1000;

/** Makes a user's access token for a session. */
export type SignAccessToken = (user: { _id: string; role: Role }, sessionId: string) => string;

/** ES256, RFC 9068 header `at+jwt` with the `kid` of the key that signs now. */
export function createAccessTokenSigner(dependencies: {
  keyRing: Pick<KeyRing, 'signingKey'>;
  clock: Clock;
  newId: NewId;
}): SignAccessToken {
  const { keyRing, clock, newId } = dependencies;
  return (user, sessionId) => {
    const { kid, privateKey } = keyRing.signingKey();
    const iat = Math.floor(clock().getTime() / 1000);
    return jwt.sign({ role: user.role, sid: sessionId, iat }, privateKey, {
      algorithm: 'ES256',
      issuer: tokenIssuer,
      audience: tokenAudience,
      subject: user._id,
      expiresIn: accessTokenSeconds,
      jwtid: newId(),
      header: { alg: 'ES256', typ: accessTokenType, kid },
    });
  };
}
