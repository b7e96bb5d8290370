import type { OrderEvent, OrderEventType } from './events.ts';

type Data = Record<string, unknown>;

/** Turns the data of an event from one schema version to the next. */
export type Upcaster = (data: Data) => Data;

/** For each type of event the steps from version 1 to 2, from 2 to 3 … */
export type Upcasters = Readonly<Record<string, readonly Upcaster[]>>;

/**
 * The history of each event's shape. Events stay as they were written: whoever changes one adds a step at the end of its
 * list, and a golden stream of the new version beside those of the old ones.
 */
export const upcasters: Readonly<Record<OrderEventType, readonly Upcaster[]>> = {
  OrderCreated: [],
  StockReserved: [],
  PaymentCaptured: [],
  PaymentDeclined: [],
  OrderConfirmed: [],
  OrderCancelled: [],
  OrderShipped: [],
  OrderDelivered: [],
  PaymentRefunded: [],
};

/** Schema version in which events of a type are written today. */
export const currentSchema = (type: OrderEventType): number => upcasters[type].length + 1;

/**
 * Brings a stored event to the shape of today.
 * @throws Error for a type or schema version that this code does not know: a newer service wrote it
 */
export function upcast(
  stored: { type: string; data: unknown; schema: number },
  known: Upcasters = upcasters,
): OrderEvent {
  const { type, schema } = stored;
  const steps = Object.hasOwn(known, type) ? known[type] : undefined;
  if (!steps || !Number.isInteger(schema) || schema < 1 || schema > steps.length + 1) {
    throw new Error(`event ${type} in schema ${schema} is not known to this version`);
  }
  const data = steps.slice(schema - 1).reduce((older, step) => step(older), stored.data as Data);
  return { type, data } as OrderEvent;
}
