import { AppError } from '@tradepost/shared/errors';
import { isDuplicateKey } from '@tradepost/shared/mongo';
import { refundOf } from '../domain/payment.ts';
import type { ProviderEventModel } from '../models/providerEvent.ts';
import type { ProviderEvent } from '../providers/provider.ts';
import type { PaymentTools } from './paymentTools.ts';
import { recordOutcome } from './settleCharge.ts';
import { recordRefunded } from './settleRefund.ts';

export interface Webhook {
  provider: string;
  /** As it was sent, byte by byte: the signature is over it. */
  body: Buffer;
  signature: string | undefined;
}

/**
 * Takes an event that a provider sends. Its effect can be repeated; the row that remembers the event comes after it, so
 * a crash between them repeats it and loses nothing.
 * @throws AppError `not_found` for a provider that sends us nothing, `bad_signature`
 */
export async function handleWebhook(tools: PaymentTools, events: ProviderEventModel, webhook: Webhook): Promise<void> {
  const { provider } = tools;
  if (webhook.provider !== provider.name || !provider.readEvent) {
    throw new AppError('not_found', { detail: 'No such provider sends events here' });
  }
  const event = await provider.readEvent(webhook.body, webhook.signature);
  const _id = `${provider.name}:${event.id}`;
  if (await events.exists({ _id })) return;
  await tools.failpoint('payment.webhook.beforeEffect');
  await apply(tools, event);
  await tools.failpoint('payment.webhook.afterEffect');
  await events.insertOne({ _id, type: event.type, at: tools.clock() }).catch((error: unknown) => {
    if (!isDuplicateKey(error)) throw error;
  });
  await tools.failpoint('payment.webhook.afterSeen');
}

async function apply(tools: PaymentTools, event: ProviderEvent): Promise<void> {
  const payment = event.orderId === undefined ? null : await tools.charges.claim(event.orderId);
  if (!payment) return;
  const { charge, refund } = event;
  if (charge) {
    if (payment.status === 'pending') await recordOutcome(tools, payment, charge);
    else if ((payment.status === 'captured') !== (charge.status === 'captured')) {
      contradiction(tools, event, payment.status);
    }
  }
  if (refund) {
    const entry = payment.status === 'captured' ? refundOf(payment, refund.id) : undefined;
    if (payment.status === 'captured' && entry && refund.state === 'done') {
      await recordRefunded(tools, payment, refund.id);
    } else if (!entry || entry.state === 'done') contradiction(tools, event, entry?.state ?? 'unknown');
  }
}

/** Too late to change what was recorded and told to others: it is counted, and the audit shows it until it is settled. */
function contradiction(tools: PaymentTools, event: ProviderEvent, recorded: string): void {
  tools.metrics.contradictions.inc();
  tools.logger.error({ event, recorded }, 'the payment provider contradicts what was recorded');
}
