import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import { z } from 'zod';
import { availableOf, type Movement } from '../domain/stock.ts';
import type * as schemas from '../routes/stockSchemas.ts';
import type { createAdjustStock } from '../services/adjustStock.ts';
import type { ReadStock, StockLevel } from '../services/readStock.ts';

export interface StockController {
  getStock: ControllerOf<typeof schemas.getStock>;
  listStock: ControllerOf<typeof schemas.listStock>;
  adjustStock: ControllerOf<typeof schemas.adjustStock>;
  listMovements: ControllerOf<typeof schemas.listMovements>;
}

export function createStockController(
  readStock: ReadStock,
  adjustStock: ReturnType<typeof createAdjustStock>,
): StockController {
  return {
    getStock: async ({ params }) => reply(200, stockBody(await readStock.one(params.productId))),

    listStock: async ({ query }) =>
      reply(200, { items: (await readStock.many(query.productIds)).map(stockBody), nextCursor: null }),

    async adjustStock({ params, body }) {
      await adjustStock(params.productId, body);
      return reply(200, stockBody(await readStock.one(params.productId)));
    },

    async listMovements({ params, query: { limit, cursor } }) {
      const [before] = decodeCursor(cursor, 'movements', z.tuple([z.int()])) ?? [];
      const found = await readStock.movements(params.productId, { before, limit: limit + 1 });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const nextCursor = found.length > limit && last ? encodeCursor('movements', [last.seq]) : null;
      return reply(200, { items: items.map(movementBody), nextCursor });
    },
  };
}

const stockBody = (stock: StockLevel) => ({
  productId: stock._id,
  onHand: stock.onHand,
  reserved: stock.reserved,
  available: availableOf(stock),
  updatedAt: stock.updatedAt,
});

const movementBody = ({ id, type, quantity, orderId, reason, onHandAfter, reservedAfter, at }: Movement) => ({
  id,
  type,
  quantity,
  ...(orderId !== undefined && { orderId }),
  ...(reason !== undefined && { reason }),
  onHandAfter,
  reservedAfter,
  at,
});
