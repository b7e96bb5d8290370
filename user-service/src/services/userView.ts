import { AppError } from '@tradepost/shared/errors';
import type { Role, UserDocument, UserModel } from '../models/userModel.ts';

/** `user` of the API: exactly these fields and no other. */
export interface UserView {
  id: string;
  email: string;
  name: string;
  role: Role;
  /** RFC 3339. */
  createdAt: string;
}

/** A user as the API shows it; tombstones have no view. */
export function userView(user: Pick<UserDocument, '_id' | 'email' | 'name' | 'role' | 'createdAt'>): UserView {
  if (user.email === undefined || user.name === undefined) throw new Error(`user ${user._id} is deleted`);
  return {
    id: user._id,
    email: user.email,
    name: user.name,
    role: user.role,
    createdAt: user.createdAt.toISOString(),
  };
}

/**
 * The signed-in user's own account.
 * @throws AppError `unauthenticated` when it was deleted after the token was checked
 */
export async function ownAccount(users: UserModel, userId: string): Promise<UserDocument> {
  const user = await users.findOne({ _id: userId, deletedAt: null }).lean();
  if (!user) throw new AppError('unauthenticated', { detail: 'The account does not exist any more' });
  return user;
}
