import type { Clock } from '@tradepost/shared/clock';
import type { NewId } from '@tradepost/shared/ids';
import { formatRefreshToken, newRefreshToken, tokenHash } from '../domain/refreshToken.ts';
import { sessionExpiry } from '../domain/session.ts';
import type { SessionModel } from '../models/sessionModel.ts';
import type { UserDocument, UserModel } from '../models/userModel.ts';
import { accessTokenSeconds, type SignAccessToken } from './accessTokens.ts';
import { type UserView, userView } from './userView.ts';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Seconds that the access token lives. */
  expiresIn: number;
}

export type SignedIn = Tokens & { user: UserView };

export interface SignInDependencies {
  users: UserModel;
  sessions: SessionModel;
  signAccessToken: SignAccessToken;
  clock: Clock;
  newId: NewId;
}

/**
 * Opens a session for a user whose password was just checked; undefined when the account was deleted or its password
 * changed meanwhile.
 */
export type SignIn = (
  user: Pick<UserDocument, '_id' | 'credentials'>,
  userAgent: string | null,
) => Promise<SignedIn | undefined>;

export function createSignIn(dependencies: SignInDependencies): SignIn {
  const { users, sessions, signAccessToken, clock, newId } = dependencies;
  return async (user, userAgent) => {
    const [sessionId, token, now] = [newId(), newRefreshToken(), clock()];
    await sessions.create({
      _id: sessionId,
      userId: user._id,
      familyHash: tokenHash(token.family),
      secretHash: tokenHash(token.secret),
      createdAt: now,
      refreshedAt: now,
      expiresAt: sessionExpiry(now, now),
      credentials: user.credentials,
      userAgent,
    });
    // Read again: a deletion or a new password between the check and the insert did not see this session.
    const present = await users.findOne({ _id: user._id, deletedAt: null }).lean();
    if (!present || present.credentials !== user.credentials) {
      await sessions.deleteOne({ _id: sessionId });
      return undefined;
    }
    return {
      user: userView(present),
      accessToken: signAccessToken(present, sessionId),
      refreshToken: formatRefreshToken(token),
      expiresIn: accessTokenSeconds,
    };
  };
}
