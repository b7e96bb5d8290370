import { z } from 'zod';
import { defineMessage } from '../messaging/message.ts';
import { receivedMoney } from '../money.ts';

export const paymentCaptured = defineMessage({
  exchange: 'payments',
  type: 'payment.captured',
  version: 1,
  summary: 'The provider took the money of an order.',
  data: { paymentId: z.string(), orderId: z.string(), amount: receivedMoney },
});

export const paymentDeclined = defineMessage({
  exchange: 'payments',
  type: 'payment.declined',
  version: 1,
  summary: 'The provider refused the charge of an order.',
  data: { paymentId: z.string(), orderId: z.string(), amount: receivedMoney, reason: z.string() },
});

export const paymentRefunded = defineMessage({
  exchange: 'payments',
  type: 'payment.refunded',
  version: 1,
  summary: 'The provider gave back money of an order; one message per refund id.',
  data: {
    paymentId: z.string(),
    orderId: z.string(),
    refundId: z.string(),
    amount: receivedMoney,
    refundedTotal: receivedMoney,
    reason: z.string().optional(),
  },
});
