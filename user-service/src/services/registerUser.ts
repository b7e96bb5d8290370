import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import type { NewId } from '@tradepost/shared/ids';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import type { Publishers } from '../events/publishers.ts';
import type { Role, UserModel } from '../models/userModel.ts';
import type { CheckNewPassword } from './newPassword.ts';
import type { Passwords } from './passwords.ts';
import type { SignedIn, SignIn } from './signIn.ts';

export interface NewUser {
  /** Normalised. */
  email: string;
  password: string;
  name: string;
}

export interface CreateUserDependencies {
  users: UserModel;
  passwords: Passwords;
  publishers: Publishers;
  wakeRelay(): void;
  clock: Clock;
  newId: NewId;
}

/** Stores an account. Answers undefined when the address has one. */
export type CreateUser = (user: NewUser, role: Role) => Promise<{ _id: string; credentials: number } | undefined>;

export function createCreateUser(dependencies: CreateUserDependencies): CreateUser {
  const { users, passwords, publishers, wakeRelay, clock, newId } = dependencies;
  return async ({ email, password, name }, role) => {
    if (await users.exists({ email })) return undefined;
    const [id, passwordHash] = [newId(), await passwords.hash(password)];
    try {
      await users.create({
        _id: id,
        email,
        name,
        passwordHash,
        role,
        addresses: [],
        createdAt: clock(),
        credentials: 1,
        outbox: [publishers.userRegistered(id)],
      });
    } catch (error) {
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
    wakeRelay();
    return { _id: id, credentials: 1 };
  };
}

export interface RegisterUserDependencies {
  createUser: CreateUser;
  passwords: Pick<Passwords, 'admit'>;
  checkNewPassword: CheckNewPassword;
  signIn: SignIn;
}

/**
 * Registers a customer and signs in.
 * @throws AppError `invalid_request` for a common password, `email_taken`, `service_unavailable` when hashing is crowded
 */
export function createRegisterUser({ createUser, passwords, checkNewPassword, signIn }: RegisterUserDependencies) {
  return async (input: NewUser, userAgent: string | null): Promise<SignedIn> => {
    checkNewPassword(input.password, 'password');
    const user = await passwords.admit(() => createUser(input, 'customer'));
    const signedIn = user && (await signIn(user, userAgent));
    if (!signedIn) throw new AppError('email_taken');
    return signedIn;
  };
}
