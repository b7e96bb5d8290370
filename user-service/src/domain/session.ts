const dayMs = 24 * 60 * 60_000;

/** Milliseconds that a refresh token lives when it is not used. */
export const refreshTokenMs = 30 * dayMs;
/** Milliseconds after which a session ends however often it was refreshed (ASVS 5.0, 7.3.2). */
export const longestSessionMs = 180 * dayMs;
/** Milliseconds that the record of an ended session is kept, so that a late use of its tokens is still told apart. */
const endedSessionMs = dayMs;

/** Until when a session's newest refresh token may be used. */
export function sessionExpiry(createdAt: Date, now: Date): Date {
  return new Date(Math.min(now.getTime() + refreshTokenMs, createdAt.getTime() + longestSessionMs));
}

/** When the record of a session that ends now may go. */
export function endedSessionExpiry(expiresAt: Date, now: Date): Date {
  return new Date(Math.min(expiresAt.getTime(), now.getTime() + endedSessionMs));
}

/**
 * Whether a session stands on the account's present password: each change of it counts `credentials` up, and only the
 * session that made the last change (`keptSession`) outlives it.
 */
export function sessionStands(
  session: { _id: string; credentials: number },
  user: { credentials: number; keptSession?: string | null | undefined },
): boolean {
  return session.credentials === user.credentials || session._id === user.keptSession;
}
