import type { Registry } from '@tradepost/shared/observability/metrics';
import { Counter } from 'prom-client';
import type { CancelCause, OrderEvent, RecordedEvent } from '../domain/events.ts';

const types: Record<Exclude<OrderEvent['type'], 'OrderCancelled'>, true> = {
  OrderCreated: true,
  StockReserved: true,
  PaymentCaptured: true,
  PaymentDeclined: true,
  OrderConfirmed: true,
  OrderShipped: true,
  OrderDelivered: true,
  PaymentRefunded: true,
};
const causes: Record<CancelCause, true> = {
  insufficient_stock: true,
  hold_gone: true,
  payment_declined: true,
  requested: true,
};

/** Counts what is appended to orders by this process, whoever asked for it. */
export function createOrderCounter(registry: Registry): (events: readonly RecordedEvent[]) => void {
  const counter = new Counter({
    name: 'order_events_total',
    help: 'Events appended to orders, by type and cause of a cancellation',
    labelNames: ['type', 'cause'],
    registers: [registry],
  });
  for (const type of Object.keys(types)) counter.inc({ type, cause: '' }, 0);
  for (const cause of Object.keys(causes)) counter.inc({ type: 'OrderCancelled', cause }, 0);
  return events => {
    for (const event of events) {
      counter.inc({ type: event.type, cause: event.type === 'OrderCancelled' ? event.data.cause : '' });
    }
  };
}
