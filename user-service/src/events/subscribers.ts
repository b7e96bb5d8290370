import { orderConfirmed } from '@tradepost/shared/events/orders';
import type { Consumer, EventBus } from '@tradepost/shared/messaging/eventBus';

export interface SubscriberDependencies {
  bus: EventBus;
  countOrder(order: { orderId: string; userId: string }): Promise<void>;
}

/** user-service ← order.confirmed: keeps each user's count of orders. */
export function subscribeToOrders({ bus, countOrder }: SubscriberDependencies): Promise<Consumer> {
  return bus.subscribe({
    service: 'user-service',
    message: orderConfirmed,
    handle: message => countOrder(message.data),
  });
}
