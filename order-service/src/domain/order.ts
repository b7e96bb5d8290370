import type { CancelCause, Hold, OrderEvent, OrderLine, RecordedEvent, Shortage } from './events.ts';

export type OrderStatus = 'pending' | 'confirmed' | 'shipped' | 'delivered' | 'cancelled';
export type PaymentStatus = 'pending' | 'captured' | 'declined' | 'void' | 'partially_refunded' | 'refunded';

/** What the events of an order add up to. Amounts in minor units of `currency`. */
export interface Order {
  userId: string;
  status: OrderStatus;
  lines: OrderLine[];
  currency: string;
  total: number;
  /** Holds on the stock, once reserved. */
  holds?: Hold[];
  payment: { id: string | null; status: PaymentStatus; captured: number; refunds: Record<string, number> };
  shipment?: { carrier: string; trackingNumber: string; at: Date };
  cancellation?: { cause: CancelCause; reason: string; at: Date; shortages?: Shortage[]; afterConfirmation: boolean };
  /** Version of the last event. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** Nothing has happened yet. */
export const noOrder = undefined;

/**
 * The order after one more event.
 * @throws Error when the stream is corrupt: a gap, or an event before OrderCreated
 */
export function evolve(order: Order | undefined, event: RecordedEvent): Order {
  if (event.version !== (order?.version ?? 0) + 1) {
    throw new Error(`version ${event.version} follows ${order?.version ?? 0}`);
  }
  if (event.type === 'OrderCreated') {
    if (order) throw new Error('an order is created once');
    return {
      ...event.data,
      status: 'pending',
      payment: { id: null, status: 'pending', captured: 0, refunds: {} },
      version: 1,
      createdAt: event.at,
      updatedAt: event.at,
    };
  }
  if (!order) throw new Error(`${event.type} before OrderCreated`);
  return { ...order, ...change(order, event), version: event.version, updatedAt: event.at };
}

function change(order: Order, event: Exclude<RecordedEvent, { type: 'OrderCreated' }>): Partial<Order> {
  const { payment } = order;
  switch (event.type) {
    case 'StockReserved':
      return { holds: event.data.holds };
    case 'PaymentCaptured':
      return { payment: { ...payment, id: event.data.paymentId, status: 'captured', captured: event.data.amount } };
    case 'PaymentDeclined':
      return { payment: { ...payment, status: 'declined' } };
    case 'OrderConfirmed':
      return { status: 'confirmed' };
    case 'OrderCancelled':
      return {
        status: 'cancelled',
        cancellation: { ...event.data, at: event.at, afterConfirmation: order.status !== 'pending' },
        payment: payment.status === 'pending' ? { ...payment, status: 'void' } : payment,
      };
    case 'OrderShipped':
      return { status: 'shipped', shipment: { ...event.data, at: event.at } };
    case 'OrderDelivered':
      return { status: 'delivered' };
    case 'PaymentRefunded': {
      const refunds = { ...payment.refunds, [event.data.refundId]: event.data.amount };
      // A cancel that arrived between the charge and its record is refunded without a PaymentCaptured.
      const captured = Math.max(payment.captured, sum(refunds));
      const status = sum(refunds) >= captured ? 'refunded' : 'partially_refunded';
      return { payment: { id: event.data.paymentId, status, captured, refunds } };
    }
    default:
      return never(event);
  }
}

/** The order that a stream adds up to; undefined for an empty stream. */
export function fold(events: readonly RecordedEvent[], start?: Order): Order | undefined {
  return events.reduce<Order | undefined>(evolve, start);
}

/** Minor units given back so far. */
export const refunded = (order: Order): number => sum(order.payment.refunds);

/** Ids of the ordered products, each once. */
export const productIdsOf = (order: Order): string[] => [...new Set(order.lines.map(line => line.productId))];

const sum = (amounts: Record<string, number>): number => Object.values(amounts).reduce((total, one) => total + one, 0);

function never(value: never): never {
  throw new Error(`unknown event ${JSON.stringify(value)}`);
}

export type { OrderEvent };
