import { shapesOf } from '@tradepost/shared/schemaVersions';
import { stringify } from 'yaml';
import { type EventKind, orderEvents } from '../../order-service/src/domain/events.ts';
import { type EventKinds, writtenSchema } from '../../order-service/src/domain/storedEvent.ts';
import type { Contract, Contracts } from './changes.ts';
import { dataSchema } from './document.ts';

/** Where the shapes of the stored events lie, beside the golden streams. */
export const eventSchemasFile = new URL('../../order-service/src/events/schemas.yaml', import.meta.url);

/** Every schema version of every event of an order. */
export const eventContracts = (kinds: EventKinds = orderEvents): Contracts =>
  Object.fromEntries(Object.entries(kinds).map(([type, kind]) => [type, contractOf(kind)]));

function contractOf(kind: EventKind): Contract {
  const read = [...shapesOf(kind)].map(([version, shape]) => [version, dataSchema(shape)] as const);
  return { written: writtenSchema(kind), read: Object.fromEntries(read) };
}

/** The shapes as they are committed. */
export const eventSchemasText = (): string =>
  stringify(eventContracts(), { lineWidth: 120, aliasDuplicateObjects: false });
