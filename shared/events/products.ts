import { z } from 'zod';
import { defineMessage } from '../messaging/message.ts';
import { receivedMoney } from '../money.ts';

const product = {
  productId: z.string(),
  sku: z.string(),
  name: z.string(),
  category: z.string().nullable(),
  price: receivedMoney,
  status: z.enum(['active', 'archived']),
  version: z.int().positive(),
};

export const productCreated = defineMessage({
  exchange: 'products',
  type: 'product.created',
  version: 1,
  summary: 'A product was added; inventory opens its stock with initialStock pieces.',
  data: { ...product, initialStock: z.int().nonnegative() },
});

export const productUpdated = defineMessage({
  exchange: 'products',
  type: 'product.updated',
  version: 1,
  summary: 'A product was changed or archived; version grows with every change.',
  data: product,
});

export const productAvailabilityChanged = defineMessage({
  exchange: 'products',
  type: 'product.availability_changed',
  version: 1,
  summary:
    'What buyers are told of a stock changed; of two messages the one with the higher stockVersion is the newer.',
  data: {
    productId: z.string(),
    availability: z.enum(['in_stock', 'low_stock', 'out_of_stock']),
    stockVersion: z.int().positive(),
  },
});
