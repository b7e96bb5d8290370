import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import type { Revocations } from '@tradepost/shared/revocations';
import type { Publishers } from '../events/publishers.ts';
import type { UserModel } from '../models/userModel.ts';
import type { Cleaner } from './cleaner.ts';

export interface DeleteAccountDependencies {
  users: UserModel;
  revocations: Pick<Revocations, 'add'>;
  publishers: Publishers;
  cleaner: Pick<Cleaner, 'finish'>;
  wakeRelay(): void;
  clock: Clock;
}

/**
 * Deletes an account. One update makes it a tombstone: personal data gone, the messages that make other services erase
 * theirs in its outbox, and a mark that keeps the rest of the work being repeated until it is done.
 * @throws AppError `unauthenticated` when it was deleted before
 */
export function createDeleteAccount(dependencies: DeleteAccountDependencies) {
  const { users, revocations, publishers, cleaner, wakeRelay, clock } = dependencies;
  return async (userId: string): Promise<void> => {
    const now = clock();
    const revocation = { userId, sessionIds: null, role: null, revokedAt: now.toISOString() };
    const messages = [publishers.sessionsRevoked(revocation), publishers.userDeleted(userId)];
    const { modifiedCount } = await users.updateOne(
      { _id: userId, deletedAt: null },
      {
        $set: { deletedAt: now, cleanup: 'erase', addresses: [] },
        $unset: { email: 1, name: 1, passwordHash: 1, keptSession: 1 },
        $push: { outbox: { $each: messages } },
      },
    );
    if (modifiedCount === 0) throw new AppError('unauthenticated', { detail: 'The account does not exist any more' });
    revocations.add(revocation);
    wakeRelay();
    await cleaner.finish(userId);
  };
}
