import type { CancelCause, Hold, OrderEvent, Shortage } from './events.ts';
import { type Order, refunded } from './order.ts';

/** What can be asked of an existing order. */
export type Command =
  | { type: 'RecordReservation'; holds: Hold[] }
  | { type: 'RecordCapture'; paymentId: string; amount: number }
  | { type: 'RecordDecline'; reason: string }
  | { type: 'Cancel'; cause: CancelCause; reason: string; shortages?: Shortage[] }
  | { type: 'Ship'; carrier: string; trackingNumber: string }
  | { type: 'Deliver' }
  | { type: 'RecordRefund'; paymentId: string; refundId: string; amount: number; reason?: string | undefined };

/** The order is not in a state that allows the command. */
export class InvalidTransitionError extends Error {
  override name = 'InvalidTransitionError';
}

/**
 * The events that a command leads to, none when it has nothing left to do (repeating a command is harmless).
 * Rules: after OrderCancelled only PaymentRefunded follows; nothing is cancelled after OrderShipped.
 * @throws InvalidTransitionError
 */
export function decide(order: Order, command: Command): OrderEvent[] {
  switch (command.type) {
    case 'RecordReservation':
      if (order.holds) return [];
      requireStatus(order, ['pending'], 'reserved');
      return [{ type: 'StockReserved', data: { holds: command.holds } }];
    case 'RecordCapture':
      if (order.status === 'confirmed') return [];
      requireStatus(order, ['pending'], 'confirmed');
      requireReservation(order);
      return [
        { type: 'PaymentCaptured', data: { paymentId: command.paymentId, amount: command.amount } },
        { type: 'OrderConfirmed', data: {} },
      ];
    case 'RecordDecline':
      if (order.payment.status === 'declined') return [];
      requireStatus(order, ['pending'], 'declined');
      requireReservation(order);
      return [
        { type: 'PaymentDeclined', data: { reason: command.reason } },
        { type: 'OrderCancelled', data: { cause: 'payment_declined', reason: command.reason } },
      ];
    case 'Cancel': {
      if (order.status === 'cancelled') return [];
      requireStatus(order, ['pending', 'confirmed'], 'cancelled');
      const { cause, reason, shortages } = command;
      return [{ type: 'OrderCancelled', data: { cause, reason, ...(shortages ? { shortages } : {}) } }];
    }
    case 'Ship': {
      const { carrier, trackingNumber } = command;
      const same = order.shipment?.carrier === carrier && order.shipment.trackingNumber === trackingNumber;
      if (order.status === 'shipped' && same) return [];
      requireStatus(order, ['confirmed'], 'shipped');
      return [{ type: 'OrderShipped', data: { carrier, trackingNumber } }];
    }
    case 'Deliver':
      if (order.status === 'delivered') return [];
      requireStatus(order, ['shipped'], 'delivered');
      return [{ type: 'OrderDelivered', data: {} }];
    case 'RecordRefund': {
      const { paymentId, refundId, amount, reason } = command;
      if (order.payment.refunds[refundId] !== undefined) return [];
      const data = { paymentId, refundId, amount, ...(reason === undefined ? {} : { reason }) };
      return [{ type: 'PaymentRefunded', data }];
    }
  }
}

function requireStatus(order: Order, allowed: readonly Order['status'][], becoming: string): void {
  if (allowed.includes(order.status)) return;
  throw new InvalidTransitionError(`An order that is ${order.status} cannot be ${becoming}`);
}

function requireReservation(order: Order): void {
  if (!order.holds) throw new InvalidTransitionError('An order is charged only after its stock is reserved');
}

/** Minor units of a charge that can still be given back. */
export const refundable = (order: Order): number => order.payment.captured - refunded(order);

/**
 * Whether the order is cancelled and no money is left to give back. A charge still on its way shows as void until its
 * refund is recorded.
 */
export const isTurnedBack = (order: Order | undefined): boolean =>
  order?.status === 'cancelled' && refundable(order) === 0;
