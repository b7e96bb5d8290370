import {
  orderCancelled,
  orderConfirmed,
  orderCreated,
  orderDelivered,
  orderShipped,
} from '@tradepost/shared/events/orders';
import { createMessage, type Message, type MessageDefinition } from '@tradepost/shared/messaging/message';
import type { RecordedEvent } from '../domain/events.ts';
import { type Order, productIdsOf } from '../domain/order.ts';

/**
 * The one mapping from private events to public messages. Events that are nobody else's business give none.
 * @param order the order as it is at the event's version
 */
export function messageOf(
  orderId: string,
  order: Order,
  event: RecordedEvent,
  traceparent?: string,
): Message | undefined {
  const base = { orderId, userId: order.userId, version: event.version };
  const bought = { productIds: productIdsOf(order), total: { amount: order.total, currency: order.currency } };
  const make = <Data>(definition: MessageDefinition<Data>, data: Data): Message<Data> =>
    createMessage(definition, {
      // The same event always makes the same message, however often it is published.
      id: `${orderId}:${event.version}`,
      source: 'order-service',
      subject: orderId,
      at: event.at,
      traceparent,
      data,
    });
  switch (event.type) {
    case 'OrderCreated':
      return make(orderCreated, { ...base, ...bought });
    case 'OrderConfirmed':
      return make(orderConfirmed, { ...base, ...bought });
    case 'OrderCancelled':
      return make(orderCancelled, { ...base, productIds: bought.productIds, reason: event.data.reason });
    case 'OrderShipped':
      return make(orderShipped, { ...base, ...event.data });
    case 'OrderDelivered':
      return make(orderDelivered, base);
    default:
      return undefined;
  }
}
