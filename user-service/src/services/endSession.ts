import type { Clock } from '@tradepost/shared/clock';
import type { Revocations } from '@tradepost/shared/revocations';
import { endedSessionExpiry } from '../domain/session.ts';
import type { Publishers } from '../events/publishers.ts';
import type { SessionDocument, SessionModel } from '../models/sessionModel.ts';

export interface EndSessionDependencies {
  sessions: SessionModel;
  revocations: Pick<Revocations, 'add'>;
  publishers: Publishers;
  wakeRelay(): void;
  clock: Clock;
}

/**
 * Ends a session, here at once and everywhere else by `user.sessions_revoked`, which the same update stores.
 * @returns false when it had ended before
 */
export type EndSession = (session: Pick<SessionDocument, '_id' | 'userId' | 'expiresAt'>) => Promise<boolean>;

export function createEndSession(dependencies: EndSessionDependencies): EndSession {
  const { sessions, revocations, publishers, wakeRelay, clock } = dependencies;
  return async session => {
    const now = clock();
    const revocation = {
      userId: session.userId,
      sessionIds: [session._id],
      role: null,
      revokedAt: now.toISOString(),
    };
    const { modifiedCount } = await sessions.updateOne(
      { _id: session._id, endedAt: null },
      {
        $set: { endedAt: now, expiresAt: endedSessionExpiry(session.expiresAt, now) },
        $push: { outbox: publishers.sessionsRevoked(revocation) },
      },
    );
    if (modifiedCount === 0) return false;
    revocations.add(revocation);
    wakeRelay();
    return true;
  };
}
