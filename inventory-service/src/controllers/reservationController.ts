import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import type * as schemas from '../routes/reservationSchemas.ts';
import type { createReserveStock } from '../services/reserveStock.ts';
import type { SettleHolds } from '../services/settleHolds.ts';

export interface ReservationController {
  reserve: ControllerOf<typeof schemas.reserve>;
  pin: ControllerOf<typeof schemas.pin>;
  commit: ControllerOf<typeof schemas.commit>;
  release: ControllerOf<typeof schemas.release>;
}

export function createReservationController(
  reserveStock: ReturnType<typeof createReserveStock>,
  settleHolds: SettleHolds,
): ReservationController {
  return {
    async reserve({ body }) {
      const { made, holds } = await reserveStock(body);
      return reply(made ? 201 : 200, { holds });
    },
    async pin({ params, body }) {
      await settleHolds.pin(params.orderId, body.holds);
      return reply(200, { done: true });
    },
    async commit({ params, body }) {
      await settleHolds.commit(params.orderId, body.holds);
      return reply(200, { done: true });
    },
    async release({ params, body }) {
      await settleHolds.release(params.orderId, body.productIds);
      return reply(200, { done: true });
    },
  };
}
