import { isAppError } from '@tradepost/shared/errors';
import type { Failpoint } from '../config.ts';
import type { Command } from '../domain/decide.ts';
import type { Hold, OrderLine } from '../domain/events.ts';
import { type Order, productIdsOf } from '../domain/order.ts';

/**
 * The saga that brings an order from its creation to the end, read from the order's stream alone:
 *
 *   the stream says   | command                            | on yes, append                  | on a definite no, append
 *   ------------------|------------------------------------|---------------------------------|------------------------------------
 *   nothing           |                                    | OrderCreated                    |
 *   created           | inventory: reserve                 | StockReserved                   | OrderCancelled (insufficient_stock)
 *   reserved          | inventory: pin · payment: charge   | PaymentCaptured, OrderConfirmed | OrderCancelled (hold_gone) ·
 *                     |                                    |                                 | PaymentDeclined, OrderCancelled
 *   confirmed         | inventory: commit                  | saga done                       | read the stream again
 *   cancelled         | payment: cancel                    | PaymentRefunded, if money went  |
 *                     |                                    | back                            |
 *                     | inventory: release                 | saga done                       |
 *
 * The way back begins only when OrderCancelled is in the stream, whoever appended it, and undoes whatever may have
 * happened: every command names the order and can be repeated. A timeout is never a no: the same step is done again.
 */
export const createOrderSaga = {
  created: reserve,
  reserved: charge,
  confirmed: commit,
  cancelled: compensate,
} as const;

export type SagaState = keyof typeof createOrderSaga;

/** Which row of the table an order is in. */
export function stateOf(order: Order): SagaState {
  if (order.status === 'cancelled') return 'cancelled';
  if (order.status !== 'pending') return 'confirmed';
  return order.holds ? 'reserved' : 'created';
}

/** What a step leads to: a command for the order, the end of the saga, or another look at the stream. */
export type StepResult = { next: 'record'; command: Command } | { next: 'finish' } | { next: 'reread'; why: string };

export interface SagaWork {
  orderId: string;
  order: Order;
  /** The payment token, while the saga is not done. */
  token: string | undefined;
  inventory: InventoryCommands;
  payment: PaymentCommands;
  failpoint: Failpoint;
}

/** What the saga asks of inventory. Each can be repeated; unknown outcomes throw. */
export interface InventoryCommands {
  reserve(orderId: string, lines: readonly OrderLine[]): Promise<Hold[]>;
  pin(orderId: string, holds: readonly Hold[]): Promise<void>;
  commit(orderId: string, holds: readonly Hold[]): Promise<void>;
  release(orderId: string, productIds: readonly string[]): Promise<void>;
}

/** What the saga asks of payment. Each can be repeated; unknown outcomes throw. */
export interface PaymentCommands {
  charge(charge: {
    orderId: string;
    userId: string;
    amount: number;
    currency: string;
    token: string;
  }): Promise<{ paymentId: string; amount: number }>;
  cancel(orderId: string): Promise<{ paymentId: string; refundId: string; amount: number } | undefined>;
  refund(refund: {
    orderId: string;
    refundId: string;
    amount?: number;
    reason: string;
  }): Promise<{ paymentId: string; refundId: string; amount: number; reason?: string | undefined }>;
}

async function reserve(work: SagaWork): Promise<StepResult> {
  await work.failpoint('order.saga.beforeReserve');
  try {
    const holds = await work.inventory.reserve(work.orderId, work.order.lines);
    await work.failpoint('order.saga.afterReserve');
    return { next: 'record', command: { type: 'RecordReservation', holds } };
  } catch (error) {
    if (isAppError(error, 'insufficient_stock')) {
      const shortages = error.extras.members?.shortages as [];
      return {
        next: 'record',
        command: { type: 'Cancel', cause: 'insufficient_stock', reason: 'insufficient_stock', shortages },
      };
    }
    if (isAppError(error, 'hold_gone')) return { next: 'reread', why: 'inventory refuses to reserve for this order' };
    throw error;
  }
}

async function charge(work: SagaWork): Promise<StepResult> {
  const { order, orderId } = work;
  await work.failpoint('order.saga.beforePin');
  try {
    await work.inventory.pin(orderId, order.holds ?? []);
  } catch (error) {
    if (!isAppError(error, 'hold_gone')) throw error;
    return { next: 'record', command: { type: 'Cancel', cause: 'hold_gone', reason: 'hold_gone' } };
  }
  await work.failpoint('order.saga.beforeCharge');
  if (work.token === undefined) return { next: 'reread', why: 'the payment token is gone' };
  try {
    const { userId, total: amount, currency } = order;
    const captured = await work.payment.charge({ orderId, userId, amount, currency, token: work.token });
    await work.failpoint('order.saga.afterCharge');
    return { next: 'record', command: { type: 'RecordCapture', ...captured } };
  } catch (error) {
    if (isAppError(error, 'payment_declined')) {
      return {
        next: 'record',
        command: { type: 'RecordDecline', reason: String(error.extras.members?.reason ?? 'declined') },
      };
    }
    if (isAppError(error, 'charge_refused')) return { next: 'reread', why: 'the payment was turned back' };
    throw error;
  }
}

async function commit(work: SagaWork): Promise<StepResult> {
  await work.failpoint('order.saga.beforeCommit');
  try {
    await work.inventory.commit(work.orderId, work.order.holds ?? []);
    await work.failpoint('order.saga.afterCommit');
    return { next: 'finish' };
  } catch (error) {
    if (isAppError(error, 'hold_gone')) return { next: 'reread', why: 'inventory has no hold to commit' };
    throw error;
  }
}

async function compensate(work: SagaWork): Promise<StepResult> {
  const { order, orderId } = work;
  // Before the stock was reserved nothing can have been charged.
  if (order.holds && order.payment.refunds[cancelRefundId(orderId)] === undefined) {
    await work.failpoint('order.saga.beforePaymentCancel');
    const refund = await work.payment.cancel(orderId);
    await work.failpoint('order.saga.afterPaymentCancel');
    if (refund) return { next: 'record', command: { type: 'RecordRefund', ...refund } };
  }
  await work.failpoint('order.saga.beforeRelease');
  await work.inventory.release(orderId, productIdsOf(order));
  await work.failpoint('order.saga.afterRelease');
  return { next: 'finish' };
}

/** The refund that a cancellation makes has one id, whoever asks for it, so that it happens once. */
export const cancelRefundId = (orderId: string): string => `cancel:${orderId}`;
