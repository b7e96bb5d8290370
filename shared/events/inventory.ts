import { z } from 'zod';
import { defineMessage } from '../messaging/message.ts';

export const stockChanged = defineMessage({
  exchange: 'inventory',
  type: 'inventory.stock_changed',
  version: 1,
  summary: 'The stock of a product changed; of two messages the one with the higher version is the newer.',
  data: {
    productId: z.string(),
    onHand: z.int().nonnegative(),
    reserved: z.int().nonnegative(),
    available: z.int().nonnegative(),
    low: z.boolean(),
    version: z.int().positive(),
  },
});

export const lowStock = defineMessage({
  exchange: 'inventory',
  type: 'inventory.low_stock',
  version: 1,
  summary: 'The available stock of a product fell to its threshold.',
  data: { productId: z.string(), available: z.int().nonnegative(), threshold: z.int().nonnegative() },
});

export const reservationExpired = defineMessage({
  exchange: 'inventory',
  type: 'inventory.reservation_expired',
  version: 1,
  summary: 'An unpinned hold went back to stock because its time was over.',
  data: { orderId: z.string(), productId: z.string(), holdId: z.string(), quantity: z.int().positive() },
});
