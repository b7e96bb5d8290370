import { z } from 'zod';
import { defineMessage } from '../messaging/message.ts';
import { receivedMoney } from '../money.ts';

const order = { orderId: z.string(), userId: z.string(), version: z.int().positive() };
const productIds = z.array(z.string()).min(1);

export const orderCreated = defineMessage({
  exchange: 'orders',
  type: 'order.created',
  version: 1,
  summary: 'An order was accepted; stock and money follow.',
  data: { ...order, productIds, total: receivedMoney },
});

export const orderConfirmed = defineMessage({
  exchange: 'orders',
  type: 'order.confirmed',
  version: 1,
  summary: 'An order is paid and its stock is held for it.',
  data: { ...order, productIds, total: receivedMoney },
});

export const orderCancelled = defineMessage({
  exchange: 'orders',
  type: 'order.cancelled',
  version: 1,
  summary: 'An order was turned back; inventory releases its products and payment returns its money.',
  data: { ...order, productIds, reason: z.string() },
});

export const orderShipped = defineMessage({
  exchange: 'orders',
  type: 'order.shipped',
  version: 1,
  summary: 'An order left the warehouse.',
  data: { ...order, carrier: z.string(), trackingNumber: z.string() },
});

export const orderDelivered = defineMessage({
  exchange: 'orders',
  type: 'order.delivered',
  version: 1,
  summary: 'An order arrived.',
  data: order,
});
