import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import type { Revocations } from '@tradepost/shared/revocations';
import { z } from 'zod';
import type { Publishers } from '../events/publishers.ts';
import type { Role, UserModel } from '../models/userModel.ts';
import { ownAccount, type UserView, userView } from './userView.ts';

export interface UserDirectoryDependencies {
  users: UserModel;
  revocations: Pick<Revocations, 'add'>;
  publishers: Publishers;
  wakeRelay(): void;
  clock: Clock;
}

export interface UserQuery {
  /** Normalised. */
  email?: string | undefined;
  limit: number;
  cursor?: string | undefined;
}

const noSuchUser = () => new AppError('not_found', { detail: 'No such user' });

/** Accounts as their owners and administrators see and change them. */
export function createUserDirectory(dependencies: UserDirectoryDependencies) {
  const { users, revocations, publishers, wakeRelay, clock } = dependencies;

  /** @throws AppError `not_found` */
  async function find(userId: string): Promise<UserView> {
    const user = await users.findOne({ _id: userId, deletedAt: null }).lean();
    if (!user) throw noSuchUser();
    return userView(user);
  }

  return {
    find,

    /** @throws AppError `unauthenticated` when the account is gone */
    async own(userId: string): Promise<UserView> {
      return userView(await ownAccount(users, userId));
    },

    /** @throws AppError `unauthenticated` when the account is gone */
    async rename(userId: string, name: string | undefined): Promise<UserView> {
      if (name !== undefined) await users.updateOne({ _id: userId, deletedAt: null }, { $set: { name } });
      return userView(await ownAccount(users, userId));
    },

    /** A page of accounts, newest first; those with the address (one or none) when it is given. */
    async list({ email, limit, cursor }: UserQuery): Promise<{ items: UserView[]; nextCursor: string | null }> {
      const after = decodeCursor(cursor, 'users', z.tuple([z.string()]));
      const rows = await users
        .find({ ...(email ? { email } : { deletedAt: null }), ...(after ? { _id: { $lt: after[0] } } : {}) })
        .sort({ _id: -1 })
        .limit(limit + 1)
        .lean();
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return { items: shown.map(userView), nextCursor: last ? encodeCursor('users', [last._id]) : null };
    },

    /**
     * Gives a user another role. Access tokens with the old one are refused from now on; sessions go on and get the new
     * role with their next refresh.
     * @throws AppError `not_found`
     */
    async changeRole(userId: string, role: Role): Promise<UserView> {
      const now = clock();
      const revocation = { userId, sessionIds: null, role, revokedAt: now.toISOString() };
      const { modifiedCount } = await users.updateOne(
        { _id: userId, deletedAt: null, role: { $ne: role } },
        { $set: { role, roleChangedAt: now }, $push: { outbox: publishers.sessionsRevoked(revocation) } },
      );
      if (modifiedCount === 1) {
        revocations.add(revocation);
        wakeRelay();
      }
      return find(userId);
    },
  };
}

export type UserDirectory = ReturnType<typeof createUserDirectory>;
