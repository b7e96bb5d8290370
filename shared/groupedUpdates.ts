import DataLoader from 'dataloader';
import type { Model, mongo } from 'mongoose';
import { isDuplicateKey } from './mongo.ts';

/** One conditional update of one document. */
export interface ConditionalUpdate {
  filter: { _id: string } & Record<string, unknown>;
  update: Record<string, unknown>;
}

/**
 * Does a conditional update. @returns whether it matched; undefined when that is not known, because not all of its group
 * did: read the document again then
 * @throws whatever the database throws; the outcome is unknown then
 */
export type UpdateInGroup = (one: ConditionalUpdate) => Promise<boolean | undefined>;

/**
 * Sends updates that are asked for at the same time as one bulk write: one round trip and one journaled transaction for
 * all lines of an order instead of one for each. MongoDB tells of a bulk write how many updates matched and not which; so
 * where all did, each is told so, and where one did not, none knows.
 *
 * Past the schema: the caller writes what the schema would have stored.
 */
// biome-ignore lint/suspicious/noExplicitAny: mongoose's Model is invariant in its document
export function createGroupedUpdates(model: Model<any>): UpdateInGroup {
  const collection = model.collection as unknown as mongo.Collection<{ _id: string }>;
  const groups = new DataLoader<ConditionalUpdate, boolean | undefined>(
    async group => {
      const updates = group.map(({ filter, update }) => ({ updateOne: { filter, update } }));
      const { matchedCount } = await collection.bulkWrite(updates, { ordered: false, ignoreUndefined: true });
      const matched = matchedCount === group.length || (group.length === 1 ? false : undefined);
      return group.map(() => matched);
    },
    { cache: false, maxBatchSize: 100 },
  );
  return one => groups.load(one);
}

/**
 * Sends upserts that are asked for at the same time as one bulk write. One whose document is there and does not match its
 * filter changes nothing, and is no error.
 *
 * Past the schema: the caller writes what the schema would have stored.
 */
// biome-ignore lint/suspicious/noExplicitAny: mongoose's Model is invariant in its document
export function createGroupedUpserts(model: Model<any>): (one: ConditionalUpdate) => Promise<void> {
  const collection = model.collection as unknown as mongo.Collection<{ _id: string }>;
  const groups = new DataLoader<ConditionalUpdate, true>(
    async group => {
      const upserts = group.map(({ filter, update }) => ({ updateOne: { filter, update, upsert: true } }));
      await collection.bulkWrite(upserts, { ordered: false, ignoreUndefined: true }).catch(passOverKnown);
      return group.map(() => true);
    },
    { cache: false, maxBatchSize: 100 },
  );
  return async one => void (await groups.load(one));
}

/** An id that is there was not matched; every other failure of the bulk write is one. */
function passOverKnown(error: unknown): void {
  const failures = [(error as { writeErrors?: unknown }).writeErrors ?? []].flat() as { code?: unknown }[];
  if (!isDuplicateKey(error) || failures.some(({ code }) => code !== 11_000)) throw error;
}
