import { AppError } from '@tradepost/shared/errors';
import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import { z } from 'zod';
import type * as schemas from '../routes/operationSchemas.ts';
import type { SagaStore } from '../sagas/sagaStore.ts';
import type { AuditShop } from '../services/auditShop.ts';

export interface OperationsController {
  listSagas: ControllerOf<typeof schemas.listSagas>;
  retrySaga: ControllerOf<typeof schemas.retrySaga>;
  auditShop: ControllerOf<typeof schemas.auditShop>;
}

export function createOperationsController(
  sagaStore: SagaStore,
  wakeWorker: () => void,
  auditShop: AuditShop,
): OperationsController {
  return {
    auditShop: async ({ query }) => reply(200, await auditShop(query)),
    async listSagas({ query }) {
      const after = decodeCursor(query.cursor, 'oldest', z.tuple([z.string()]));
      const rows = await sagaStore.parked(query.limit + 1, after?.[0]);
      const page = rows.slice(0, query.limit);
      const last = page.at(-1);
      return reply(200, {
        items: page.map(({ _id, status, attempts, lastError, createdAt }) => ({
          orderId: _id,
          status,
          attempts,
          lastError,
          createdAt,
        })),
        nextCursor: rows.length > query.limit && last ? encodeCursor('oldest', [last._id]) : null,
      });
    },
    async retrySaga({ params }) {
      if (!(await sagaStore.wake({ _id: params.orderId }))) throw new AppError('not_found');
      wakeWorker();
      return reply(202, { orderId: params.orderId, status: 'running' });
    },
  };
}
