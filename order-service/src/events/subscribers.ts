import { isAppError } from '@tradepost/shared/errors';
import { reservationExpired } from '@tradepost/shared/events/inventory';
import { paymentRefunded } from '@tradepost/shared/events/payments';
import { userDeleted } from '@tradepost/shared/events/users';
import type { Consumer, EventBus } from '@tradepost/shared/messaging/eventBus';
import type { Inbox } from '@tradepost/shared/messaging/inbox';

const service = 'order-service';

export interface SubscriberActions {
  recordRefund(refund: {
    orderId: string;
    paymentId: string;
    refundId: string;
    amount: number;
    reason: string | undefined;
  }): Promise<unknown>;
  /** Has somebody look at the order again, if it is not finished. */
  wake(orderId: string): Promise<unknown>;
  erase(userId: string): Promise<void>;
}

/**
 * What order-service listens to. Every effect is repeatable by itself: a refund is recorded once by its id, the others
 * change nothing the second time.
 */
export function subscribe(bus: EventBus, inbox: Inbox, actions: SubscriberActions): Promise<Consumer[]> {
  return Promise.all([
    bus.subscribe({
      service,
      message: paymentRefunded,
      async handle(message) {
        await inbox.once(service, message, async () => {
          const { orderId, paymentId, refundId, amount, reason } = message.data;
          try {
            await actions.recordRefund({ orderId, paymentId, refundId, amount: amount.amount, reason });
          } catch (error) {
            // A payment without an order has no stream to record in.
            if (!isAppError(error, 'not_found')) throw error;
          }
        });
      },
    }),
    bus.subscribe({
      service,
      message: reservationExpired,
      async handle({ data }) {
        await actions.wake(data.orderId);
      },
    }),
    bus.subscribe({ service, message: userDeleted, handle: ({ data }) => actions.erase(data.userId) }),
  ]);
}
