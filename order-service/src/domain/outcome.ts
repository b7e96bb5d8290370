import type { RecordedEvent } from './events.ts';
import { fold, type Order } from './order.ts';

/** How the creation of an order ended. It follows from the stream alone, so that it is the same whenever it is asked. */
export type CreationOutcome =
  | { kind: 'pending'; order: Order }
  | { kind: 'confirmed'; order: Order }
  | {
      kind: 'refused';
      code: 'insufficient_stock' | 'payment_declined' | 'hold_gone' | 'invalid_transition';
      /** What a person is told, where the code alone does not say it. */
      detail?: string;
      members: Record<string, unknown>;
    };

/**
 * The outcome at the first event that decided it: an order that was confirmed and cancelled later was confirmed.
 * @returns undefined for an empty stream
 */
export function creationOutcome(events: readonly RecordedEvent[]): CreationOutcome | undefined {
  const end = events.findIndex(event => event.type === 'OrderConfirmed' || event.type === 'OrderCancelled');
  const order = fold(end < 0 ? events : events.slice(0, end + 1));
  if (!order) return undefined;
  if (!order.cancellation) return { kind: order.status === 'pending' ? 'pending' : 'confirmed', order };
  switch (order.cancellation.cause) {
    case 'insufficient_stock':
      return {
        kind: 'refused',
        code: 'insufficient_stock',
        members: { shortages: order.cancellation.shortages ?? [] },
      };
    case 'payment_declined':
      return { kind: 'refused', code: 'payment_declined', members: { reason: order.cancellation.reason } };
    case 'hold_gone':
      return {
        ...{ kind: 'refused', code: 'hold_gone', members: {} },
        detail: 'The stock held for the order went back before it was paid; it may be ordered again under a new key',
      };
    case 'requested':
      return {
        ...{ kind: 'refused', code: 'invalid_transition', members: { reason: order.cancellation.reason } },
        detail: 'The order was cancelled before it was confirmed',
      };
  }
}

/** Whether the stream says how the creation ended. */
export function isDecided(events: readonly RecordedEvent[]): boolean {
  return events.some(event => event.type === 'OrderConfirmed' || event.type === 'OrderCancelled');
}
