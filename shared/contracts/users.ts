import { z } from 'zod';
import { addressFields } from '../address.ts';
import { timestamp } from '../http/schemas.ts';

/** `GET /internal/users/:userId/addresses/:addressId`; 404 when the user has no such address. */
export const addressAnswer = z.object({ id: z.string(), ...addressFields });

/** Most sessions that `GET /internal/revocations` lists, the newest ones: about 2 MB of JSON. */
export const maxRevocations = 50_000;

/** `GET /internal/revocations`: what ended so lately that access tokens of it may still be about. */
export const revocationsAnswer = z.object({
  /** Ended sessions. */
  sessions: z.array(z.object({ id: z.string(), at: timestamp })),
  /** Deleted users. */
  users: z.array(z.object({ id: z.string(), at: timestamp })),
  /** Users whose role changed, with the role they have now. */
  roles: z.array(z.object({ id: z.string(), role: z.enum(['customer', 'admin']), at: timestamp })),
});
export type RevocationsAnswer = z.infer<typeof revocationsAnswer>;
