import { createHash } from 'node:crypto';
import { AppError } from '@tradepost/shared/errors';
import type { NewId } from '@tradepost/shared/ids';
import { refundable } from '../domain/decide.ts';
import { fold, type Order } from '../domain/order.ts';
import type { EventStore } from '../events/eventStore.ts';
import type { PaymentCommands } from '../sagas/createOrderSaga.ts';
import type { CommandOrder } from './commandOrder.ts';

export interface RefundRequest {
  orderId: string;
  /** Minor units; all that is left when absent. */
  amount?: number | undefined;
  /** Recorded with the refund. */
  reason: string;
  /** Makes repeating harmless: the refund's id is derived from it. */
  idempotencyKey?: string | undefined;
}

/**
 * Gives money of an order back, whole or in part.
 * @throws AppError `not_found`, `invalid_transition` when nothing was captured, `refund_exceeds_capture`,
 * `idempotency_key_reused` when the key made a refund of another amount
 */
export type RefundOrder = (request: RefundRequest) => Promise<Order>;

export function refundOrderUseCase(
  eventStore: EventStore,
  commandOrder: CommandOrder,
  payment: PaymentCommands,
  newId: NewId,
): RefundOrder {
  return async ({ orderId, amount, reason, idempotencyKey }) => {
    const order = fold(await eventStore.loadDurable(orderId));
    if (!order) throw new AppError('not_found');
    const refundId = idempotencyKey ? `refund:${orderId}:${digest(idempotencyKey)}` : `refund:${orderId}:${newId()}`;
    const known = order.payment.refunds[refundId];
    if (known !== undefined) {
      if (amount !== undefined && amount !== known) throw new AppError('idempotency_key_reused');
      return order;
    }
    if (order.payment.captured === 0) {
      throw new AppError('invalid_transition', {
        detail: `An order that is ${order.status} has no captured payment to refund`,
      });
    }
    if (refundable(order) === 0 || (amount !== undefined && amount > refundable(order))) {
      throw new AppError('refund_exceeds_capture', { members: { refundable: refundable(order) } });
    }
    const refund = await payment.refund({ orderId, refundId, reason, ...(amount === undefined ? {} : { amount }) });
    // If this process ends here, the message payment.refunded records it.
    return commandOrder(orderId, () => ({ type: 'RecordRefund', ...refund }));
  };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);
