import { auditedProducts, auditOrdersRequest, orderStocks } from '@tradepost/shared/contracts/inventory';
import { operation } from '@tradepost/shared/http/route';
import { pageQuery } from '@tradepost/shared/http/schemas';
import { z } from 'zod';

const tag = 'Internal';

export const auditProducts = operation({
  id: 'auditProducts',
  summary: 'Check that stock, holds and ledger of each product add up',
  tag,
  query: z.strictObject(pageQuery),
  answers: { 200: { description: 'A page of products with what does not add up', body: auditedProducts } },
  errors: ['invalid_cursor'],
  deadlineMs: 10_000,
});

export const auditOrders = operation({
  id: 'auditOrderStock',
  summary: 'What orders hold and were sold of products',
  tag,
  body: auditOrdersRequest,
  answers: { 200: { description: 'A row per order and product that has something', body: orderStocks } },
  deadlineMs: 10_000,
});
