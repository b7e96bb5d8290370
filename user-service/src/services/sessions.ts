import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import { z } from 'zod';
import { parseRefreshToken, tokenHash } from '../domain/refreshToken.ts';
import type { SessionModel } from '../models/sessionModel.ts';
import type { EndSession } from './endSession.ts';

export interface SessionView {
  id: string;
  /** Whether the asking token belongs to it. */
  current: boolean;
  userAgent: string | null;
  /** RFC 3339, as the two below. */
  createdAt: string;
  refreshedAt: string;
  expiresAt: string;
}

export interface SessionsDependencies {
  sessions: SessionModel;
  endSession: EndSession;
  clock: Clock;
}

/** What users do with their sessions: list them, end one, log out. */
export function createSessions({ sessions, endSession, clock }: SessionsDependencies) {
  return {
    /** A page of the user's live sessions, newest first. */
    async list(userId: string, currentId: string | undefined, page: { limit: number; cursor?: string | undefined }) {
      const after = decodeCursor(page.cursor, 'sessions', z.tuple([z.string()]));
      const rows = await sessions
        .find({ userId, endedAt: null, expiresAt: { $gt: clock() }, ...(after ? { _id: { $lt: after[0] } } : {}) })
        .sort({ _id: -1 })
        .limit(page.limit + 1)
        .lean();
      const shown = rows.slice(0, page.limit);
      const last = rows.length > page.limit ? shown.at(-1) : undefined;
      const items = shown.map(
        (row): SessionView => ({
          id: row._id,
          current: row._id === currentId,
          userAgent: row.userAgent,
          createdAt: row.createdAt.toISOString(),
          refreshedAt: row.refreshedAt.toISOString(),
          expiresAt: row.expiresAt.toISOString(),
        }),
      );
      return { items, nextCursor: last ? encodeCursor('sessions', [last._id]) : null };
    },

    /** @throws AppError `not_found` for a session that has ended or is somebody else's */
    async end(userId: string, sessionId: string): Promise<void> {
      const session = await sessions.findOne({ _id: sessionId, userId, expiresAt: { $gt: clock() } }).lean();
      if (!session || !(await endSession(session))) throw new AppError('not_found', { detail: 'No such session' });
    },

    /** Ends the session of a refresh token, spent or not; a token that is no good has nothing to end. */
    async logOut(refreshToken: string): Promise<void> {
      const token = parseRefreshToken(refreshToken);
      const session = token && (await sessions.findOne({ familyHash: tokenHash(token.family) }).lean());
      if (session) await endSession(session);
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;
