import type { Actor } from '@tradepost/shared/http/route';
import { isTurnedBack } from '../domain/decide.ts';
import { fold, type Order } from '../domain/order.ts';
import type { Drive } from '../sagas/drive.ts';
import type { SagaStore } from '../sagas/sagaStore.ts';
import { type CommandOrder, requireAccess } from './commandOrder.ts';

/**
 * Turns an order back that is not shipped: stock and money return. The order is cancelled when this resolves; money that
 * takes longer than a moment returns afterwards.
 * @throws AppError `not_found`, `invalid_transition` once it is shipped
 */
export type CancelOrder = (actor: Actor, orderId: string, reason: string) => Promise<Order>;

const waitMs = 2_000;

export function cancelOrderUseCase(commandOrder: CommandOrder, sagaStore: SagaStore, drive: Drive): CancelOrder {
  return async (actor, orderId, reason) => {
    const order = await commandOrder(orderId, current => {
      requireAccess(actor, current);
      return { type: 'Cancel', cause: 'requested', reason };
    });
    if (isTurnedBack(order)) return order;
    // The relay does this too; doing it here only spares the client the wait.
    const saga = { _id: orderId, userId: order.userId };
    await sagaStore.wake(saga);
    const events = await drive.until(saga, seen => isTurnedBack(fold(seen)), waitMs);
    return fold(events) ?? order;
  };
}
