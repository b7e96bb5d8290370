import { AppError } from '@tradepost/shared/errors';
import { downgrade, shapesOf, upgrade, writtenVersion } from '@tradepost/shared/schemaVersions';
import { type EventKind, type OrderEvent, orderEvents } from './events.ts';

/** An event as it is in the database, in the schema version in which it was written. */
export interface StoredEvent {
  type: string;
  data: unknown;
  schema: number;
}

/** An event of a later release: only its instances can go on with the order. */
export class NewerEventError extends AppError {
  override name = 'NewerEventError';

  constructor({ type, schema }: Pick<StoredEvent, 'type' | 'schema'>) {
    super('service_unavailable', {
      detail: `event ${type} in schema ${schema} is not known to this version`,
      retryAfter: 1,
    });
  }
}

/** Kinds of events by their type; those of this service but in tests. */
export type EventKinds = Readonly<Record<string, EventKind>>;

/** Schema version in which events of a kind are written; 0 where none may be yet. */
export const writtenSchema = (kind: EventKind): number => (kind.isAnnounced ? 0 : writtenVersion(kind));

/**
 * An event as it is written: in a schema version that instances of the release before can read.
 * @throws Error for one that they do not know at all
 */
export function storedEvent({ type, data }: OrderEvent, kinds: EventKinds = orderEvents): StoredEvent {
  const kind = kinds[type] as EventKind;
  const schema = writtenSchema(kind);
  if (schema === 0) throw new Error(`${type} is only announced: it may be appended from the next release on`);
  return { type, data: downgrade(kind, data), schema };
}

/**
 * Brings a stored event to the shape of today.
 * @throws NewerEventError for a type or schema version that this code does not know yet
 * @throws Error for a schema version that never was
 */
export function upcast(stored: StoredEvent, kinds: EventKinds = orderEvents): OrderEvent {
  const { type, schema } = stored;
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (!kind || schema > kind.version) throw new NewerEventError(stored);
  if (schema !== kind.version && !shapesOf(kind).has(schema)) throw new Error(`event ${type} has no schema ${schema}`);
  return { type, data: upgrade(kind, stored.data as never, schema) } as OrderEvent;
}
