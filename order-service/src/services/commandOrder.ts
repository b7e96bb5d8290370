import { AppError } from '@tradepost/shared/errors';
import { type Actor, mayAccess } from '@tradepost/shared/http/route';
import { type Command, decide, InvalidTransitionError } from '../domain/decide.ts';
import { fold, type Order } from '../domain/order.ts';
import type { EventStore } from '../events/eventStore.ts';

/**
 * Loads the order, decides, appends; when somebody else appends first it decides again.
 * @param commandFor may look at the order first, and throw
 * @returns the order afterwards
 * @throws AppError `not_found`, `invalid_transition`
 */
export type CommandOrder = (orderId: string, commandFor: (order: Order) => Command) => Promise<Order>;

const maxConflicts = 10;

export function commandOrderUseCase(
  eventStore: EventStore,
  appended: (orderId: string, order: Order) => Promise<void>,
): CommandOrder {
  return async (orderId, commandFor) => {
    for (let conflicts = 0; conflicts < maxConflicts; conflicts += 1) {
      const order = fold(await eventStore.loadDurable(orderId));
      if (!order) throw new AppError('not_found');
      const events = allowed(() => decide(order, commandFor(order)));
      if (events.length === 0) return order;
      const recorded = await eventStore.append(orderId, order.version, events);
      if (recorded === 'conflict') continue;
      const now = fold(recorded, order) as Order;
      await appended(orderId, now);
      return now;
    }
    throw new AppError('service_unavailable', { retryAfter: 1, detail: 'Too many others are changing this order' });
  };
}

function allowed<T>(decision: () => T): T {
  try {
    return decision();
  } catch (error) {
    if (error instanceof InvalidTransitionError) throw new AppError('invalid_transition', { detail: error.message });
    throw error;
  }
}

/** @throws AppError `not_found` when the order is somebody else's, as if it did not exist */
export function requireAccess(actor: Actor, order: { userId: string }): void {
  if (!mayAccess(actor, order.userId)) throw new AppError('not_found');
}
