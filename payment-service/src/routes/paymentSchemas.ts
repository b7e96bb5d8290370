import { operation } from '@tradepost/shared/http/route';
import { id, idParams, pageOf, pageQuery, timestamp } from '@tradepost/shared/http/schemas';
import { amount, money } from '@tradepost/shared/money';
import { z } from 'zod';

const tag = 'Payments';

const fields = {
  id,
  orderId: id,
  amount: money,
  refunded: money.meta({ description: 'What the provider has given back so far' }),
  status: z.enum(['pending', 'captured', 'declined', 'refunded', 'partially_refunded']),
  provider: z.enum(['simulated', 'stripe']),
  reason: z
    .string()
    .optional()
    .meta({ description: 'Why it was declined, in the words of the provider', example: 'insufficient_funds' }),
  createdAt: timestamp,
  updatedAt: timestamp,
};

export const payment = z.strictObject(fields).meta({ id: 'Payment' });

const unresolvedPayment = z
  .strictObject({
    ...fields,
    openSince: timestamp.meta({ description: 'Since when the provider has owed an answer' }),
    cancelling: z.boolean().meta({ description: 'Whether the order was cancelled meanwhile' }),
    pendingRefunds: z.array(z.strictObject({ refundId: z.string(), amount })),
    attempts: z.int().nonnegative(),
    lastError: z.string().optional(),
  })
  .meta({ id: 'UnresolvedPayment' });

export const listPayments = operation({
  id: 'listPayments',
  summary: 'List payments',
  description: 'Your own, those of the newest orders first; an admin sees all. An order has at most one.',
  tag,
  query: z.strictObject({ orderId: id.optional(), ...pageQuery }),
  answers: { 200: { description: 'A page of payments', body: pageOf(payment).meta({ id: 'PaymentPage' }) } },
  errors: ['invalid_cursor'],
});

export const getPayment = operation({
  id: 'getPayment',
  summary: 'Get a payment',
  tag,
  params: idParams,
  answers: { 200: { description: 'The payment', body: payment } },
  errors: ['not_found'],
});

export const receiveWebhook = operation({
  id: 'receivePaymentWebhook',
  summary: 'Take an event of the payment provider',
  description: 'For the provider only, which signs what it sends. Each event is handled once.',
  tag,
  params: z.strictObject({ provider: z.string().min(1).max(32) }),
  headers: { 'Stripe-Signature': { description: "Stripe's signature of the body" } },
  streamed: ['application/json'],
  answers: { 200: { description: 'Taken', body: z.strictObject({ received: z.literal(true) }) } },
  errors: ['bad_signature', 'not_found', 'payload_too_large', 'unsupported_media_type'],
});

export const listUnresolved = operation({
  id: 'listUnresolvedPayments',
  summary: 'List the payments that the provider has left open for too long',
  description: 'They are still asked about; nothing is given up or charged anew.',
  tag: 'Operations',
  query: z.strictObject(pageQuery),
  answers: { 200: { description: 'A page of payments, the oldest first', body: pageOf(unresolvedPayment) } },
  errors: ['invalid_cursor'],
});
