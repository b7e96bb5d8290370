import DataLoader from 'dataloader';
import type { Model } from 'mongoose';

/**
 * Reads documents by id; those that are asked for at the same time are read by one query.
 * @returns a function that answers the document as stored, undefined when there is none, and throws what the database throws
 */
export function createGroupedReads<Document>(
  // biome-ignore lint/suspicious/noExplicitAny: mongoose's Model is invariant in its document
  model: Model<any>,
  projection: Record<string, 0 | 1>,
): (id: string) => Promise<Document | undefined> {
  const groups = new DataLoader<string, Document | undefined>(
    async ids => {
      const found = await model.find({ _id: { $in: ids } }, projection).lean<(Document & { _id: string })[]>();
      const byId = new Map(found.map(document => [document._id, document]));
      return ids.map(id => byId.get(id));
    },
    { cache: false, maxBatchSize: 100 },
  );
  return id => groups.load(id);
}
