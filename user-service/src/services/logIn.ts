import { AppError } from '@tradepost/shared/errors';
import type { UserDocument, UserModel } from '../models/userModel.ts';
import type { AttemptLimiter } from './attemptLimiter.ts';
import type { Passwords } from './passwords.ts';
import type { SignedIn, SignIn } from './signIn.ts';

export interface LogInDependencies {
  users: UserModel;
  attempts: AttemptLimiter;
  passwords: Passwords;
  signIn: SignIn;
}

export interface Credentials {
  /** Normalised. */
  email: string;
  password: string;
}

/**
 * Signs in. An address without account takes the same steps with the same work and gets the same answer.
 * @throws AppError `invalid_credentials`, `too_many_attempts`, `service_unavailable` when hashing is crowded
 */
export function createLogIn({ users, attempts, passwords, signIn }: LogInDependencies) {
  async function check(input: Credentials, userAgent: string | null): Promise<SignedIn | undefined> {
    const user = await users.findOne({ email: input.email }).lean();
    if (!(await passwords.verify(input.password, user?.passwordHash)) || !user) return undefined;
    await renewHash(user, input.password);
    return signIn(user, userAgent);
  }

  /** Brings a hash of an earlier cost up to the present one, now that the password is at hand. */
  async function renewHash({ _id, passwordHash: old }: UserDocument, password: string): Promise<void> {
    if (!old || !passwords.isOutdated(old)) return;
    const passwordHash = await passwords.hash(password);
    await users.updateOne({ _id, passwordHash: old }, { $set: { passwordHash } });
  }

  return (input: Credentials, userAgent: string | null): Promise<SignedIn> =>
    passwords.admit(async () => {
      const attempt = await attempts.begin(`login ${input.email}`);
      const signedIn = await check(input, userAgent).catch(async (error: unknown) => {
        await attempt.withdrawn();
        throw error;
      });
      if (!signedIn) throw new AppError('invalid_credentials');
      await attempt.succeeded();
      return signedIn;
    });
}
