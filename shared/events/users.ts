import { z } from 'zod';
import { defineMessage } from '../messaging/message.ts';

export const userRegistered = defineMessage({
  exchange: 'users',
  type: 'user.registered',
  version: 1,
  summary: 'An account was made.',
  data: { userId: z.string() },
});

export const userDeleted = defineMessage({
  exchange: 'users',
  type: 'user.deleted',
  version: 1,
  summary: 'An account was deleted; every service erases what it holds about the person.',
  data: { userId: z.string() },
});

export const userSessionsRevoked = defineMessage({
  exchange: 'users',
  type: 'user.sessions_revoked',
  version: 1,
  summary:
    'Access tokens no longer count: those of the sessions in sessionIds; when it is null those of the whole user, or if role is given those of the user that carry another role.',
  data: {
    userId: z.string(),
    sessionIds: z.array(z.string()).nullable(),
    /** The user's new role after a change of it; the sessions go on with it. */
    role: z.enum(['customer', 'admin']).nullable().default(null),
    revokedAt: z.iso.datetime(),
  },
});
