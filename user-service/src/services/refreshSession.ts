import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import {
  formatRefreshToken,
  newNonce,
  parseRefreshToken,
  type RefreshToken,
  successorOf,
  tokenHash,
} from '../domain/refreshToken.ts';
import { sessionExpiry, sessionStands } from '../domain/session.ts';
import type { SessionDocument, SessionModel } from '../models/sessionModel.ts';
import type { UserDocument, UserModel } from '../models/userModel.ts';
import { accessTokenSeconds, type SignAccessToken } from './accessTokens.ts';
import type { EndSession } from './endSession.ts';
import type { Tokens } from './signIn.ts';

export interface RefreshSessionDependencies {
  users: UserModel;
  sessions: SessionModel;
  endSession: EndSession;
  signAccessToken: SignAccessToken;
  clock: Clock;
  /** Milliseconds in which the token just spent may be presented again, for the same successor. */
  leewayMs: number;
}

const notValid = () => new AppError('unauthenticated', { detail: 'The refresh token is not valid' });

/**
 * Spends a refresh token for the next one. A spent token ends the whole session, whoever has it (RFC 9700 section 4.14.2):
 * of two parallel calls with one token at most one gets an answer, and neither leaves a live session.
 * @throws AppError `unauthenticated` for a token that is unknown, expired or ended, `token_reused` for a spent one
 */
export function createRefreshSession(dependencies: RefreshSessionDependencies) {
  const { users, sessions, endSession, signAccessToken, clock, leewayMs } = dependencies;

  const tokens = (user: UserDocument, session: SessionDocument, next: RefreshToken): Tokens => ({
    accessToken: signAccessToken(user, session._id),
    refreshToken: formatRefreshToken(next),
    expiresIn: accessTokenSeconds,
  });

  /** The successor once more, for a client that lost the answer. */
  function repeated(session: SessionDocument, token: RefreshToken, now: Date): RefreshToken | undefined {
    if (!session.retryNonce || session.previousHash !== tokenHash(token.secret)) return undefined;
    if (session.refreshedAt.getTime() + leewayMs <= now.getTime()) return undefined;
    return successorOf(token, session.retryNonce);
  }

  /** False when another call has spent the token meanwhile, or the session has ended. */
  async function spend(session: SessionDocument, next: RefreshToken, nonce: string, now: Date): Promise<boolean> {
    const { modifiedCount } = await sessions.updateOne(
      { _id: session._id, secretHash: session.secretHash, endedAt: null },
      {
        $set: {
          secretHash: tokenHash(next.secret),
          previousHash: session.secretHash,
          retryNonce: leewayMs > 0 ? nonce : null,
          refreshedAt: now,
          expiresAt: sessionExpiry(session.createdAt, now),
        },
      },
    );
    return modifiedCount === 1;
  }

  async function refresh(token: RefreshToken, mayLookAgain: boolean): Promise<Tokens> {
    const now = clock();
    const session = await sessions.findOne({ familyHash: tokenHash(token.family) }).lean();
    if (!session) throw notValid();
    const retried = repeated(session, token, now);
    if (session.secretHash !== tokenHash(token.secret) && !retried) {
      await endSession(session);
      throw new AppError('token_reused');
    }
    if (session.endedAt || session.expiresAt <= now) throw notValid();
    const user = await users.findOne({ _id: session.userId, deletedAt: null }).lean();
    if (!user || !sessionStands(session, user)) {
      await endSession(session);
      throw notValid();
    }
    if (retried) return tokens(user, session, retried);
    const nonce = newNonce();
    const next = successorOf(token, nonce);
    if (await spend(session, next, nonce, now)) return tokens(user, session, next);
    if (mayLookAgain) return refresh(token, false);
    throw notValid();
  }

  return async (refreshToken: string): Promise<Tokens> => {
    const token = parseRefreshToken(refreshToken);
    if (!token) throw notValid();
    return refresh(token, true);
  };
}
