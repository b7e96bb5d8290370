import { orderCancelled } from '@tradepost/shared/events/orders';
import type { Consumer, EventBus } from '@tradepost/shared/messaging/eventBus';
import type { Inbox } from '@tradepost/shared/messaging/inbox';

const service = 'payment-service';

/**
 * The safety net: whatever happens to the order's own saga, a cancelled order's money goes back. It does what the saga
 * asks for, under the same refund id, and may be repeated.
 */
export function subscribe(bus: EventBus, inbox: Inbox, cancel: (orderId: string) => Promise<void>): Promise<Consumer> {
  return bus.subscribe({
    service,
    message: orderCancelled,
    async handle(message) {
      await inbox.once(service, message, () => cancel(message.data.orderId));
    },
  });
}
