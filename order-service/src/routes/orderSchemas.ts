import { postalAddress } from '@tradepost/shared/address';
import { maxLines, maxQuantity } from '@tradepost/shared/contracts/inventory';
import { operation } from '@tradepost/shared/http/route';
import { id, idParams, pageOf, pageQuery, queryInt, text, timestamp } from '@tradepost/shared/http/schemas';
import { amount, money } from '@tradepost/shared/money';
import { z } from 'zod';

const tag = 'Orders';
const status = z.enum(['pending', 'confirmed', 'shipped', 'delivered', 'cancelled']);

export const order = z
  .strictObject({
    id,
    userId: id,
    status,
    items: z.array(
      z.strictObject({
        productId: id,
        sku: z.string().meta({ example: '85123A' }),
        name: z.string().meta({ example: 'White hanging heart T-light holder' }),
        quantity: z.int().positive(),
        unitPrice: money,
        lineTotal: money,
      }),
    ),
    total: money,
    shippingAddress: postalAddress.nullable().meta({ description: 'null once the account is deleted' }),
    payment: z.strictObject({
      id: z.string().nullable(),
      status: z.enum(['pending', 'captured', 'declined', 'void', 'partially_refunded', 'refunded']),
      refunded: money,
    }),
    shipment: z
      .strictObject({
        carrier: z.string().meta({ example: 'Royal Mail' }),
        trackingNumber: z.string().meta({ example: 'RM123456789GB' }),
        at: timestamp,
      })
      .optional(),
    cancellation: z.strictObject({ reason: z.string().meta({ example: 'Changed my mind' }), at: timestamp }).optional(),
    version: z.int().positive().meta({ description: 'Version of the last event of the order' }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Order' });

const orderPage = pageOf(order).meta({ id: 'OrderPage' });

const orderEvent = z.strictObject({
  version: z.int().positive(),
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
  at: timestamp,
});

const visibleAscii = z.string().regex(/^[\x21-\x7e]{1,128}$/);
/** @returns undefined when the header is absent or not 1 to 128 visible ASCII characters */
export const idempotencyKeyOf = (value: string | undefined): string | undefined => visibleAscii.safeParse(value).data;

const reason = text(500).meta({ example: 'Changed my mind' });

const createOrderBody = z
  .strictObject({
    items: z
      .array(z.strictObject({ productId: id, quantity: z.int().min(1).max(maxQuantity) }))
      .min(1)
      .max(maxLines)
      .refine(
        items => new Set(items.map(item => item.productId)).size === items.length,
        'must name each product at most once',
      ),
    shippingAddress: postalAddress.optional(),
    addressId: id.optional(),
    payment: z.strictObject({ token: z.string().min(1).max(256).meta({ example: 'tok_visa' }) }),
  })
  .refine(body => (body.shippingAddress === undefined) !== (body.addressId === undefined), {
    message: 'exactly one of shippingAddress and addressId is needed',
    path: ['shippingAddress'],
  })
  .meta({
    description: 'With either `shippingAddress` or `addressId`. The prices are those of the catalogue.',
    example: {
      items: [{ productId: '01995f6e-7a1c-7000-8000-5d2f3c6b7a19', quantity: 2 }],
      shippingAddress: {
        name: 'Ada Lovelace',
        line1: '12 Mill Lane',
        city: 'York',
        postcode: 'YO1 7HH',
        country: 'GB',
      },
      payment: { token: 'tok_visa' },
    },
  });

export const createOrder = operation({
  id: 'createOrder',
  summary: 'Place an order',
  description:
    'Reserves the stock, charges the payment and confirms the order. Repeating the call with the same Idempotency-Key ' +
    'and body within 24 hours gives the same answer and never a second order. A 202 is not final: poll Location.',
  tag,
  headers: { 'Idempotency-Key': { description: '1 to 128 visible ASCII characters', required: true } },
  body: createOrderBody,
  answers: {
    201: { description: 'Confirmed and paid', body: order, headers: { Location: 'The order' } },
    202: { description: 'Still being worked on', body: order, headers: { Location: 'The order' } },
  },
  errors: [
    'idempotency_key_required',
    'insufficient_stock',
    'hold_gone',
    'invalid_transition',
    'payment_declined',
    'request_in_progress',
    'unknown_product',
    'unknown_address',
    'mixed_currencies',
    'total_too_large',
    'idempotency_key_reused',
  ],
  deadlineMs: 15_000,
});

const listQuery = z.strictObject({ ...pageQuery, status: status.optional() });

export const listOrders = operation({
  id: 'listOrders',
  summary: 'List orders, newest first',
  description: "A customer's own orders; all orders for an administrator.",
  tag,
  query: listQuery,
  answers: { 200: { description: 'A page of orders', body: orderPage } },
  errors: ['invalid_cursor'],
});

export const listOrdersOfUser = operation({
  id: 'listOrdersOfUser',
  summary: 'List the orders of one user, newest first',
  tag,
  params: z.strictObject({ userId: id }),
  query: listQuery,
  answers: { 200: { description: 'A page of orders', body: orderPage } },
  errors: ['invalid_cursor'],
});

export const getOrder = operation({
  id: 'getOrder',
  summary: 'Get an order, as it is or as it was',
  tag,
  params: idParams,
  query: z
    .strictObject({
      version: queryInt(1, 1_000_000).optional().meta({ description: 'The order after this event', example: 2 }),
      at: z.iso
        .datetime({ offset: true })
        .optional()
        .meta({ description: 'The order at this time', example: '2026-11-22T15:39:00.000Z' }),
    })
    .refine(query => query.version === undefined || query.at === undefined, 'version and at exclude each other'),
  answers: { 200: { description: 'The order', body: order } },
});

export const getOrderEvents = operation({
  id: 'getOrderEvents',
  summary: 'Get the event stream of an order',
  tag,
  params: idParams,
  answers: {
    200: { description: 'All events, versions 1, 2, 3 …', body: z.strictObject({ items: z.array(orderEvent) }) },
  },
});

export const cancelOrder = operation({
  id: 'cancelOrder',
  summary: 'Cancel an order that is not shipped',
  description: 'Stock and money go back. Repeating it is harmless.',
  tag,
  params: idParams,
  body: z.strictObject({ reason: reason.optional() }).optional(),
  answers: { 200: { description: 'The cancelled order', body: order } },
  errors: ['invalid_transition'],
});

export const shipOrder = operation({
  id: 'shipOrder',
  summary: 'Record that an order was shipped',
  tag,
  params: idParams,
  body: z.strictObject({
    carrier: text(100).meta({ example: 'Royal Mail' }),
    trackingNumber: text(100).meta({ example: 'RM123456789GB' }),
  }),
  answers: { 200: { description: 'The shipped order', body: order } },
  errors: ['not_found', 'invalid_transition'],
});

export const deliverOrder = operation({
  id: 'deliverOrder',
  summary: 'Record that an order was delivered',
  tag,
  params: idParams,
  answers: { 200: { description: 'The delivered order', body: order } },
  errors: ['not_found', 'invalid_transition'],
});

export const refundOrder = operation({
  id: 'refundOrder',
  summary: 'Give money back, whole or in part',
  description: 'The reason stands in the event `PaymentRefunded` of the order.',
  tag,
  headers: { 'Idempotency-Key': { description: 'Makes repeating harmless; 1 to 128 visible ASCII characters' } },
  params: idParams,
  body: z.strictObject({ amount: amount.min(1).optional(), reason }),
  answers: { 200: { description: 'The order with its refund', body: order } },
  errors: [
    'not_found',
    'invalid_transition',
    'refund_exceeds_capture',
    'idempotency_key_required',
    'idempotency_key_reused',
  ],
  deadlineMs: 10_000,
});
