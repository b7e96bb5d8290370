import type { Logger } from '@tradepost/shared/logger';
import type { ConfirmedOrderModel } from '../models/confirmedOrderModel.ts';
import type { SessionModel } from '../models/sessionModel.ts';
import type { UserDocument, UserModel } from '../models/userModel.ts';
import type { EndSession } from './endSession.ts';

const batch = 100;
const sweepMs = 30_000;

/** Finishes what a new password or a deletion leaves to do in other documents, however often it was interrupted. */
export interface Cleaner {
  /** Does what is left for one account; nothing when nothing is. */
  finish(userId: string): Promise<void>;
  /** Does what is left for all accounts, now and every half minute. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface CleanerDependencies {
  users: UserModel;
  sessions: SessionModel;
  confirmedOrders: ConfirmedOrderModel;
  endSession: EndSession;
  logger: Logger;
}

export function createCleaner(dependencies: CleanerDependencies): Cleaner {
  const { users, sessions, confirmedOrders, endSession, logger } = dependencies;
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> = Promise.resolve();

  /** Ends the sessions that stand on an earlier password. */
  async function endOldSessions({ _id: userId, credentials, keptSession }: UserDocument): Promise<void> {
    const old = { userId, endedAt: null, credentials: { $lt: credentials }, _id: { $ne: keptSession ?? '' } };
    for (;;) {
      const found = await sessions.find(old).limit(batch).lean();
      for (const session of found) await endSession(session);
      if (found.length < batch) break;
    }
    await users.updateOne({ _id: userId, cleanup: 'sessions', credentials }, { $unset: { cleanup: 1 } });
  }

  async function erase(userId: string): Promise<void> {
    await sessions.deleteMany({ userId });
    await confirmedOrders.deleteMany({ userId });
    await users.updateOne({ _id: userId, cleanup: 'erase' }, { $unset: { cleanup: 1 } });
  }

  async function finish(user: UserDocument): Promise<void> {
    if (user.cleanup === 'sessions') await endOldSessions(user);
    if (user.cleanup === 'erase') await erase(user._id);
  }

  async function sweep(): Promise<void> {
    for (;;) {
      const found = await users
        .find({ cleanup: { $in: ['sessions', 'erase'] } })
        .limit(batch)
        .lean();
      for (const user of found) await finish(user);
      if (found.length < batch) break;
    }
  }

  return {
    async finish(userId) {
      const user = await users.findById(userId).lean();
      if (user) await finish(user);
    },
    async start() {
      await sweep();
      timer ??= setInterval(() => {
        sweeping = sweeping
          .then(sweep)
          .catch((error: unknown) => logger.warn({ err: error }, 'accounts cannot be cleaned up yet'));
      }, sweepMs).unref();
    },
    async stop() {
      clearInterval(timer);
      await sweeping;
    },
  };
}
