import { orderCancelled } from '@tradepost/shared/events/orders';
import { productCreated } from '@tradepost/shared/events/products';
import type { Consumer, EventBus } from '@tradepost/shared/messaging/eventBus';
import type { Inbox } from '@tradepost/shared/messaging/inbox';

export interface Handlers {
  openStock(productId: string, quantity: number): Promise<void>;
  release(orderId: string, productIds: readonly string[]): Promise<void>;
}

const service = 'inventory-service';

/** Subscribes to what other services tell. Both effects may be repeated; opening stock again costs no more than an inbox. */
export async function subscribe(bus: EventBus, inbox: Inbox, handlers: Handlers): Promise<Consumer[]> {
  return [
    await bus.subscribe({
      service,
      message: productCreated,
      handle: ({ data }) => handlers.openStock(data.productId, data.initialStock),
    }),
    await bus.subscribe({
      service,
      message: orderCancelled,
      async handle(message) {
        const { orderId, productIds } = message.data;
        await inbox.once(service, message, () => handlers.release(orderId, productIds));
      },
    }),
  ];
}
