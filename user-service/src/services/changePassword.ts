import { AppError } from '@tradepost/shared/errors';
import type { UserModel } from '../models/userModel.ts';
import type { AttemptLimiter } from './attemptLimiter.ts';
import type { Cleaner } from './cleaner.ts';
import type { CheckNewPassword } from './newPassword.ts';
import type { Passwords } from './passwords.ts';
import { ownAccount } from './userView.ts';

export interface ChangePasswordDependencies {
  users: UserModel;
  attempts: AttemptLimiter;
  passwords: Passwords;
  checkNewPassword: CheckNewPassword;
  cleaner: Pick<Cleaner, 'finish'>;
}

export interface PasswordChange {
  userId: string;
  /** The session that asks and goes on. */
  sessionId: string;
  currentPassword: string;
  newPassword: string;
}

/**
 * Sets a new password and ends all other sessions. From the one update on their refresh tokens are refused; that they
 * are ended is repeated until it is done.
 * @throws AppError `invalid_credentials`, `too_many_attempts`, `invalid_request` for a common password,
 * `service_unavailable` when hashing is crowded
 */
export function createChangePassword(dependencies: ChangePasswordDependencies) {
  const { users, attempts, passwords, checkNewPassword, cleaner } = dependencies;

  /** False when the current password does not fit, or was changed meanwhile. */
  async function change({ userId, sessionId, currentPassword, newPassword }: PasswordChange): Promise<boolean> {
    const user = await ownAccount(users, userId);
    if (!(await passwords.verify(currentPassword, user.passwordHash))) return false;
    const passwordHash = await passwords.hash(newPassword);
    const { modifiedCount } = await users.updateOne(
      { _id: userId, deletedAt: null, credentials: user.credentials },
      { $set: { passwordHash, keptSession: sessionId, cleanup: 'sessions' }, $inc: { credentials: 1 } },
    );
    return modifiedCount === 1;
  }

  return async (input: PasswordChange): Promise<void> => {
    checkNewPassword(input.newPassword, 'newPassword');
    await passwords.admit(async () => {
      const attempt = await attempts.begin(`password ${input.userId}`);
      const changed = await change(input).catch(async (error: unknown) => {
        await attempt.withdrawn();
        throw error;
      });
      if (!changed) throw new AppError('invalid_credentials', { detail: 'The current password is wrong' });
      await attempt.succeeded();
    });
    await cleaner.finish(input.userId);
  };
}
