import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import { z } from 'zod';
import type * as schemas from '../routes/auditSchemas.ts';
import type { StockAudit } from '../services/auditStock.ts';

export interface AuditController {
  auditProducts: ControllerOf<typeof schemas.auditProducts>;
  auditOrders: ControllerOf<typeof schemas.auditOrders>;
}

export function createAuditController(audit: StockAudit): AuditController {
  return {
    async auditProducts({ query: { limit, cursor } }) {
      const [after] = decodeCursor(cursor, 'audit', z.tuple([z.string()])) ?? [];
      const { items, next } = await audit.products({ after, limit });
      return reply(200, { items, nextCursor: next === undefined ? null : encodeCursor('audit', [next]) });
    },
    auditOrders: async ({ body }) => reply(200, { items: await audit.orders(body.orders) }),
  };
}
