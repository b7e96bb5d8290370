import { StartError } from '@tradepost/shared/lifecycle';
import { orderEvents } from '../domain/events.ts';
import { type EventKinds, writtenSchema } from '../domain/storedEvent.ts';
import type { WrittenSchemaModel } from '../models/writtenSchema.ts';

/**
 * Before an instance begins to work: makes sure that it can read every event that others may have written, and notes in
 * which schema versions it writes itself, so that a release which cannot read them is not started beside or after it.
 * @throws StartError that names the events which this code cannot read
 */
export async function agreeOnSchemas(model: WrittenSchemaModel, kinds: EventKinds = orderEvents): Promise<void> {
  const written = new Map((await model.find().lean()).map(({ _id, schema }) => [_id, schema]));
  const unreadable = [...written].filter(([type, schema]) => schema > (kinds[type]?.version ?? 0));
  if (unreadable.length > 0) {
    const names = unreadable.map(([type, schema]) => `${type} in schema ${schema}`).join(', ');
    throw new StartError(
      `The orders of this database were written by a later release: this one cannot read ${names}. Start that release, or the one before it.`,
    );
  }
  for (const [type, kind] of Object.entries(kinds)) {
    const schema = writtenSchema(kind);
    if (schema <= (written.get(type) ?? 0)) continue;
    await model.collection.updateOne({ _id: type } as never, { $max: { schema } }, { upsert: true });
  }
}
