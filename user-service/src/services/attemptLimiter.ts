import { createHmac } from 'node:crypto';
import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import type { NewId } from '@tradepost/shared/ids';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import { failureWindowMs, maxFailures, secondsUntilAttempt } from '../domain/throttle.ts';
import type { FailureModel } from '../models/failureModel.ts';

/** An attempt counts as a failure from its beginning, so that parallel guesses cannot outrun the count. */
export interface Attempt {
  /** It succeeded: the account's failures are forgotten. */
  succeeded(): Promise<void>;
  /** It was never judged: it does not count. */
  withdrawn(): Promise<void>;
}

export interface AttemptLimiter {
  /**
   * Takes one of the attempts that are free for `subject`.
   * @throws AppError `too_many_attempts` with Retry-After after ten failures within 15 minutes
   */
  begin(subject: string): Promise<Attempt>;
}

export interface AttemptLimiterDependencies {
  failures: FailureModel;
  clock: Clock;
  newId: NewId;
  /** Keys the hash under which a subject is stored. */
  secret: string;
}

/** Limits guessing per account, over all instances. A subject that does not exist is treated like one that does. */
export function createAttemptLimiter({ failures, clock, newId, secret }: AttemptLimiterDependencies): AttemptLimiter {
  const last = maxFailures - 1;

  /** Seconds to wait; 0 when the attempt was taken. */
  async function take(key: string, id: string): Promise<number> {
    const now = clock();
    const cutoff = new Date(now.getTime() - failureWindowMs);
    const free = [{ [`failures.${last}`]: { $exists: false } }, { 'failures.0.at': { $lte: cutoff } }];
    try {
      await failures.updateOne(
        { _id: key, $or: free },
        {
          $push: { failures: { $each: [{ id, at: now }], $slice: -maxFailures } },
          $set: { expiresAt: new Date(now.getTime() + failureWindowMs) },
        },
        { upsert: true },
      );
      return 0;
    } catch (error) {
      // The record is there but did not match, so the upsert tried to insert a second one.
      if (!isDuplicateKey(error)) throw error;
      const known = await failures.findById(key).lean();
      return Math.max(1, secondsUntilAttempt(known?.failures.map(failure => failure.at) ?? [], now));
    }
  }

  return {
    async begin(subject) {
      const key = createHmac('sha256', secret).update(`attempts ${subject}`).digest('base64url');
      const id = newId();
      let seconds = await take(key, id);
      // A parallel first attempt may have won the insert: then this one is still free.
      if (seconds > 0) seconds = await take(key, id);
      if (seconds > 0) throw new AppError('too_many_attempts', { retryAfter: seconds });
      return {
        async succeeded() {
          await failures.deleteOne({ _id: key });
        },
        async withdrawn() {
          await failures.updateOne({ _id: key }, { $pull: { failures: { id } } });
        },
      };
    },
  };
}
