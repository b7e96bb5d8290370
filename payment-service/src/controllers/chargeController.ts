import { decodeCursor, encodeCursor } from '@tradepost/shared/http/cursor';
import { type ControllerOf, reply } from '@tradepost/shared/http/route';
import { z } from 'zod';
import type * as schemas from '../routes/chargeSchemas.ts';
import type { PaymentAudit } from '../services/auditPayments.ts';
import { cancelPayment } from '../services/cancelPayment.ts';
import { chargePayment } from '../services/chargePayment.ts';
import type { PaymentTools } from '../services/paymentTools.ts';
import { unknownOutcomeAnswer } from '../services/providerCalls.ts';
import { refundPayment } from '../services/refundPayment.ts';

export interface ChargeController {
  charge: ControllerOf<typeof schemas.charge>;
  cancel: ControllerOf<typeof schemas.cancelCharge>;
  refund: ControllerOf<typeof schemas.refund>;
  auditPayments: ControllerOf<typeof schemas.auditPayments>;
  auditOrders: ControllerOf<typeof schemas.auditOrders>;
  auditProvider: ControllerOf<typeof schemas.auditProvider>;
}

/** @param track keeps account of work that may outlive its request */
export function createChargeController(
  tools: PaymentTools,
  audit: PaymentAudit,
  track: <T>(work: Promise<T>) => Promise<T>,
): ChargeController {
  const answered = <T>(work: Promise<T>): Promise<T> =>
    track(work).catch((error: unknown) => {
      throw unknownOutcomeAnswer(error);
    });
  const page =
    (sort: string, read: PaymentAudit['payments']) =>
    async ({ query: { limit, cursor } }: { query: { limit: number; cursor?: string | undefined } }) => {
      const [after] = decodeCursor(cursor, sort, z.tuple([z.string()])) ?? [];
      const { items, next } = await answered(read({ limit, after }));
      return reply(200, { items, nextCursor: next === null ? null : encodeCursor(sort, [next]) });
    };
  return {
    async charge({ body }) {
      const { captured, answer } = await answered(chargePayment(tools, body));
      return reply(captured ? 201 : 200, answer);
    },
    cancel: async ({ params }) => reply(200, await answered(cancelPayment(tools, params.orderId))),
    refund: async ({ body }) => reply(200, await answered(refundPayment(tools, body))),
    auditPayments: page('payments', audit.payments),
    async auditOrders({ body }) {
      return reply(200, { items: await answered(audit.ofOrders(body.orderIds)), nextCursor: null });
    },
    auditProvider: page('provider', audit.provider),
  };
}
