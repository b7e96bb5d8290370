import { reservationExpired, stockChanged } from '../events/inventory.ts';
import { orderCancelled, orderConfirmed } from '../events/orders.ts';
import { paymentRefunded } from '../events/payments.ts';
import { productCreated } from '../events/products.ts';
import { userDeleted } from '../events/users.ts';
import { type DurableQueue, durableQueue } from './routing.ts';

const listeners = {
  'user-service': [orderConfirmed],
  'product-service': [stockChanged],
  'inventory-service': [productCreated, orderCancelled],
  'order-service': [userDeleted, paymentRefunded, reservationExpired],
  'payment-service': [orderCancelled],
} as const;

/**
 * Who listens to what for good. Every instance of every service declares all these queues, so that no message is lost
 * because its consumer has never run yet, and a message for one of them that no queue takes is refused. A bus that was
 * given this table refuses subscriptions that are not in it.
 */
export const durableQueues: readonly DurableQueue[] = Object.entries(listeners).flatMap(([service, messages]) =>
  messages.map(message => durableQueue(service, { message })),
);
