import type { Connection, Model } from 'mongoose';
import type { Clock } from '../clock.ts';
import { createModel, createSchema, isDuplicateKey, schemaOptions } from '../mongo.ts';
import type { Message } from './message.ts';

interface InboxRow {
  /** `<consumer>:<message id>` */
  _id: string;
  at: Date;
}

export interface Inbox {
  model: Model<InboxRow>;
  /**
   * Runs `effect` unless this consumer is known to have handled the message. The effect must be repeatable by itself (a
   * unique row, a filter that no longer matches): it comes first and the row after it, so a crash between the two, or
   * two copies at once, run it again. The row only spares the work for later copies. Rejects with what `effect` throws;
   * then no row is written.
   * @param consumer what handles it, as `user-service.order.confirmed`
   * @returns whether the effect was run
   */
  once(consumer: string, message: Pick<Message, 'id'>, effect: () => Promise<void>): Promise<boolean>;
}

const keptForSeconds = 7 * 24 * 60 * 60;

const inboxSchema = createSchema<InboxRow>(
  { _id: { type: String, required: true }, at: { type: Date, required: true } },
  schemaOptions,
);
inboxSchema.index({ at: 1 }, { expireAfterSeconds: keptForSeconds });

/** Remembers handled messages in the collection `inbox` for seven days. Its indexes are built with the other models'. */
export function createInbox(connection: Connection, clock: Clock): Inbox {
  const model = createModel<InboxRow>(connection, 'Inbox', inboxSchema, 'inbox');
  return {
    model,
    async once(consumer, message, effect) {
      const _id = `${consumer}:${message.id}`;
      if (await model.exists({ _id })) return false;
      await effect();
      try {
        await model.collection.insertOne({ _id, at: clock() } as never);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      return true;
    },
  };
}
