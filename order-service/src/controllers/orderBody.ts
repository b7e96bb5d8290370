import type { z } from 'zod';
import { refunded } from '../domain/order.ts';
import type { order as orderSchema } from '../routes/orderSchemas.ts';
import type { FoundOrder } from '../services/results.ts';

/** An order as clients see it. */
export function orderBody({ orderId, order, shippingAddress }: FoundOrder): z.input<typeof orderSchema> {
  const { currency } = order;
  const money = (amount: number) => ({ amount, currency });
  return {
    id: orderId,
    userId: order.userId,
    status: order.status,
    items: order.lines.map(({ productId, sku, name, quantity, unitPrice }) => ({
      productId,
      sku,
      name,
      quantity,
      unitPrice: money(unitPrice),
      lineTotal: money(unitPrice * quantity),
    })),
    total: money(order.total),
    shippingAddress: shippingAddress ?? null,
    payment: { id: order.payment.id, status: order.payment.status, refunded: money(refunded(order as never)) },
    ...(order.shipment ? { shipment: { ...order.shipment, at: order.shipment.at.toISOString() } } : {}),
    ...(order.cancellation
      ? { cancellation: { reason: order.cancellation.reason, at: order.cancellation.at.toISOString() } }
      : {}),
    version: order.version,
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
  };
}
