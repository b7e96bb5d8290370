import type { PostalAddress } from '@tradepost/shared/address';
import type { Order } from '../domain/order.ts';

/** An order as use cases hand it out; the address is gone once its user is deleted. */
export interface FoundOrder {
  orderId: string;
  order: Omit<Order, 'holds'>;
  shippingAddress: PostalAddress | undefined;
}

export interface CreatedOrder extends FoundOrder {
  /** False while the order is still pending. */
  final: boolean;
}
