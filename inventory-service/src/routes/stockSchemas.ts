import { operation } from '@tradepost/shared/http/route';
import { id, pageOf, pageQuery, text, timestamp } from '@tradepost/shared/http/schemas';
import { z } from 'zod';
import { effects, type MovementType, maxOnHand } from '../domain/stock.ts';

const tag = 'Inventory';
const productParams = z.strictObject({ productId: id });

/** Products of one `GET /api/inventory?productIds=`. */
const maxProductIds = 100;

export const stock = z
  .strictObject({
    productId: id,
    onHand: z.int().nonnegative().meta({ description: 'Pieces in the warehouse', example: 50 }),
    reserved: z.int().nonnegative().meta({ description: 'Pieces of them that open orders hold', example: 2 }),
    available: z.int().nonnegative().meta({ description: 'Pieces that can be ordered', example: 48 }),
    updatedAt: timestamp,
  })
  .meta({ id: 'Stock' });

const movement = z
  .strictObject({
    id: z.string(),
    type: z.enum(Object.keys(effects) as [MovementType, ...MovementType[]]).meta({
      description:
        '`open` the first pieces · `adjust` counted or changed by hand · `reserve` held for an order · `release` and ' +
        '`expire` a hold given back · `commit` a held piece sold · `return` a sold piece given back',
    }),
    quantity: z.int().meta({ description: 'Pieces; negative only where `adjust` takes some away' }),
    orderId: id.optional(),
    reason: z.string().optional(),
    onHandAfter: z.int().nonnegative(),
    reservedAfter: z.int().nonnegative(),
    at: timestamp,
  })
  .meta({ id: 'StockMovement' });

export const getStock = operation({
  id: 'getStock',
  summary: 'Stock of a product',
  tag,
  params: productParams,
  answers: { 200: { description: 'The stock', body: stock } },
  errors: ['not_found'],
});

export const listStock = operation({
  id: 'listStock',
  summary: 'Stock of several products',
  description: 'Products whose stock is not kept are left out; the others come in the order asked for, as one page.',
  tag,
  query: z.strictObject({
    productIds: z
      .string()
      .transform(list => [...new Set(list.split(','))])
      .pipe(z.array(id).min(1).max(maxProductIds))
      .meta({ description: `Product ids separated by commas, at most ${maxProductIds}` }),
  }),
  answers: { 200: { description: 'Their stock', body: pageOf(stock) } },
});

export const adjustStock = operation({
  id: 'adjustStock',
  summary: 'Count or change the stock of a product',
  description: 'Either `onHand`, the pieces counted, or `adjustBy` with a `reason`. Never below what is reserved.',
  tag,
  params: productParams,
  body: z.union(
    [
      z.strictObject({ onHand: z.int().min(0).max(maxOnHand).meta({ example: 50 }) }),
      z.strictObject({
        adjustBy: z.int().min(-maxOnHand).max(maxOnHand).meta({ example: -2 }),
        reason: text(500).meta({ example: 'Broken in the warehouse' }),
      }),
    ],
    `must be {onHand} from 0 to ${maxOnHand}, or {adjustBy, reason} with a whole number and up to 500 characters`,
  ),
  answers: { 200: { description: 'The stock afterwards', body: stock } },
  errors: ['not_found', 'below_reserved'],
});

export const listMovements = operation({
  id: 'listStockMovements',
  summary: 'Ledger of a product, newest first',
  tag,
  params: productParams,
  query: z.strictObject(pageQuery),
  answers: { 200: { description: 'A page of movements', body: pageOf(movement) } },
  errors: ['not_found', 'invalid_cursor'],
});
