import { stockChanged } from '@tradepost/shared/events/inventory';
import { productAvailabilityChanged, productCreated, productUpdated } from '@tradepost/shared/events/products';
import type { Consumer, EventBus } from '@tradepost/shared/messaging/eventBus';
import type { Message } from '@tradepost/shared/messaging/message';
import type { z } from 'zod';

export interface SubscriberDependencies {
  bus: EventBus;
  /** Work shared by all instances: takes over what inventory says. */
  applyStock(change: z.infer<typeof stockChanged.data>): Promise<void>;
  /** Every instance: a product has reached that version. */
  productChanged(productId: string, version: number): Promise<void>;
  /** Every instance: what inventory said at that version was taken over. */
  availabilityChanged(productId: string, stockVersion: number): Promise<void>;
  /** Every instance: changes may have been missed. */
  reload(): Promise<void>;
}

/** Subscribes product-service to inventory's news and each instance to those of its own kind. */
export async function subscribe(dependencies: SubscriberDependencies): Promise<Consumer[]> {
  const { bus, applyStock, productChanged, availabilityChanged, reload } = dependencies;
  const changed = ({ data }: Message<{ productId: string; version: number }>) =>
    productChanged(data.productId, data.version);
  return Promise.all([
    bus.subscribe({ service: 'product-service', message: stockChanged, handle: ({ data }) => applyStock(data) }),
    bus.listen({ message: productCreated, handle: changed, onGap: reload }),
    bus.listen({ message: productUpdated, handle: changed, onGap: reload }),
    bus.listen({
      message: productAvailabilityChanged,
      handle: ({ data }) => availabilityChanged(data.productId, data.stockVersion),
      onGap: reload,
    }),
  ]);
}
