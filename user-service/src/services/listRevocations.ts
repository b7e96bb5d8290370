import type { Clock } from '@tradepost/shared/clock';
import { maxRevocations, type RevocationsAnswer } from '@tradepost/shared/contracts/users';
import { accessTokenMs, revocationSlackMs } from '@tradepost/shared/revocations';
import type { SessionModel } from '../models/sessionModel.ts';
import type { UserModel } from '../models/userModel.ts';

export interface ListRevocationsDependencies {
  users: UserModel;
  sessions: SessionModel;
  clock: Clock;
}

/** What ended so lately that access tokens of it may still be about, read from the documents themselves. */
export function createListRevocations({ users, sessions, clock }: ListRevocationsDependencies) {
  return async (): Promise<RevocationsAnswer> => {
    const since = { $gte: new Date(clock().getTime() - accessTokenMs - revocationSlackMs) };
    const [ended, deleted, changed] = await Promise.all([
      sessions.find({ endedAt: since }, { endedAt: 1 }).sort({ endedAt: -1 }).limit(maxRevocations).lean(),
      users.find({ deletedAt: since }, { deletedAt: 1 }).limit(maxRevocations).lean(),
      users.find({ roleChangedAt: since }, { role: 1, roleChangedAt: 1 }).limit(maxRevocations).lean(),
    ]);
    const at = (time: Date | null | undefined) => (time ?? clock()).toISOString();
    return {
      sessions: ended.map(session => ({ id: session._id, at: at(session.endedAt) })),
      users: deleted.map(user => ({ id: user._id, at: at(user.deletedAt) })),
      roles: changed.map(user => ({ id: user._id, role: user.role, at: at(user.roleChangedAt) })),
    };
  };
}
