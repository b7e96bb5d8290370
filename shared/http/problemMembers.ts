import { z } from 'zod';
import { shortages } from '../contracts/inventory.ts';
import type { ErrorCode } from '../errors.ts';
import { amount } from '../money.ts';

/** What problems of some codes say beside the members that all have; optional in each, since one schema serves all codes. */
export const problemMembers = {
  shortages: shortages.optional().meta({ description: '`insufficient_stock`: the products of which too few are left' }),
  orderId: z
    .string()
    .optional()
    .meta({ description: 'An order that was begun and ended without being confirmed; it can be looked at' }),
  reason: z.string().optional().meta({
    description: "`payment_declined`: the provider's word for why · `invalid_transition`: why it was cancelled",
  }),
  refundable: amount
    .optional()
    .meta({ description: '`refund_exceeds_capture`: minor units that can still be given back' }),
  onHand: z.int().optional().meta({ description: '`below_reserved`: pieces in the warehouse' }),
  reserved: z.int().optional().meta({ description: '`below_reserved`: pieces of them that open orders hold' }),
  productIds: z
    .array(z.string())
    .optional()
    .meta({ description: '`unknown_product`: the products that do not exist, the first hundred' }),
  currencies: z
    .array(z.string())
    .optional()
    .meta({ description: '`mixed_currencies`: the currencies of the products, ISO 4217' }),
};

const [orderId, productId] = ['01995f6e-8b2d-7000-8000-6e304d7c8b2a', '01995f6e-7a1c-7000-8000-5d2f3c6b7a19'];

/** The members of codes that have some, as they may look. */
export const exampleMembers: Partial<Record<ErrorCode, Record<string, unknown>>> = {
  insufficient_stock: { shortages: [{ productId, requested: 3, available: 1 }], orderId },
  hold_gone: { orderId },
  payment_declined: { reason: 'insufficient_funds', orderId },
  refund_exceeds_capture: { refundable: 500 },
  below_reserved: { onHand: 5, reserved: 3 },
  unknown_product: { productIds: [productId] },
  mixed_currencies: { currencies: ['GBP', 'EUR'] },
};
