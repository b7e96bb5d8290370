import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import { collectBody } from '@tradepost/shared/http/body';
import { type ControllerOf, mayAccess, reply, userOf } from '@tradepost/shared/http/route';
import type * as schemas from '../routes/paymentSchemas.ts';
import type { Webhook } from '../services/handleWebhook.ts';
import { unknownOutcomeAnswer } from '../services/providerCalls.ts';
import type { ReadPayments } from '../services/readPayments.ts';
import { paymentBody, unresolvedBody } from './paymentBody.ts';

export interface PaymentController {
  list: ControllerOf<typeof schemas.listPayments>;
  get: ControllerOf<typeof schemas.getPayment>;
  receiveWebhook: ControllerOf<typeof schemas.receiveWebhook>;
  listUnresolved: ControllerOf<typeof schemas.listUnresolved>;
}

export interface PaymentControllerOptions {
  read: ReadPayments;
  handleWebhook: (webhook: Webhook) => Promise<void>;
  clock: Clock;
  /** Age in milliseconds from which an open payment is the operator's. */
  unresolvedAfterMs: number;
}

/** Largest event that is read, in bytes; Stripe's are a few thousand. */
const maxEventBytes = 256 * 1024;
const eventTimeoutMs = 10_000;

export function createPaymentController(options: PaymentControllerOptions): PaymentController {
  const { read, handleWebhook, clock, unresolvedAfterMs } = options;
  return {
    async list(request) {
      const actor = userOf(request);
      const { orderId, ...paging } = request.query;
      const owner = actor.role === 'admin' ? {} : { userId: actor.id };
      const { items, nextCursor } = await read.list({ ...owner, orderId }, paging);
      return reply(200, { items: items.map(paymentBody), nextCursor });
    },

    async get(request) {
      const payment = await read.byId(request.params.id);
      if (!payment || !mayAccess(userOf(request), payment.userId)) throw new AppError('not_found');
      return reply(200, paymentBody(payment));
    },

    async receiveWebhook({ params, header, stream }) {
      const body = await collectBody(stream, { bytes: maxEventBytes, timeoutMs: eventTimeoutMs });
      await handleWebhook({ provider: params.provider, body, signature: header('stripe-signature') }).catch(
        (error: unknown) => {
          throw unknownOutcomeAnswer(error);
        },
      );
      return reply(200, { received: true });
    },

    async listUnresolved({ query }) {
      const before = new Date(clock().getTime() - unresolvedAfterMs);
      const { items, nextCursor } = await read.openSince(before, query);
      return reply(200, { items: items.map(unresolvedBody), nextCursor });
    },
  };
}
