import type Stripe from 'stripe';
import { type ChargeOutcome, type LedgerEntry, ProviderError, type ProviderEvent } from './provider.ts';

/** What a PaymentIntent says for good; undefined while it is not decided. */
export function outcomeOf(intent: Stripe.PaymentIntent): ChargeOutcome | undefined {
  if (intent.status === 'succeeded') {
    const { amount_received: amount, currency } = intent;
    if (!Number.isSafeInteger(amount) || typeof currency !== 'string') return undefined;
    return { status: 'captured', providerId: intent.id, amount, currency: currency.toUpperCase() };
  }
  if (intent.status === 'canceled') return { status: 'declined', reason: intent.cancellation_reason ?? 'cancelled' };
  // Without an error it has only been made, and its confirmation may still be running.
  if (intent.status === 'requires_payment_method' && intent.last_payment_error) {
    return { status: 'declined', reason: reasonOf(intent.last_payment_error) };
  }
  return undefined;
}

/** A decline's reason in Stripe's words, as `insufficient_funds`. */
function reasonOf(error: { decline_code?: string | null; code?: string | null }): string {
  return error.decline_code ?? error.code ?? 'card_declined';
}

export function entryOf(intent: Stripe.PaymentIntent): LedgerEntry {
  const charge = intent.latest_charge;
  return {
    orderId: intent.metadata.orderId ?? '',
    outcome: outcomeOf(intent),
    refunded: charge && typeof charge === 'object' ? charge.amount_refunded : 0,
  };
}

/** The parts of Stripe's errors that say what happened; they are recognised by shape, not by class. */
interface StripeFailure {
  type?: string;
  statusCode?: number;
  code?: string;
  decline_code?: string;
  message?: string;
}

/**
 * What a failed charge means. A refused card and an invalid request are final: Stripe took nothing, and says the same
 * again under the same key. Everything else, a 500 above all, leaves the outcome unknown.
 */
export function declineOf(thrown: unknown): ChargeOutcome | undefined {
  const failure = failureOf(thrown);
  if (failure.type === 'StripeCardError') return { status: 'declined', reason: reasonOf(failure) };
  if (failure.type !== 'StripeInvalidRequestError' || failure.statusCode !== 400) return undefined;
  const reason = failure.code === 'resource_missing' ? 'invalid_token' : (failure.code ?? 'invalid_request');
  return { status: 'declined', reason };
}

/** An error of Stripe's library as one of ours: the outcome is unknown. */
export function unknownOutcome(thrown: unknown): ProviderError {
  if (thrown instanceof ProviderError) return thrown;
  const failure = failureOf(thrown);
  const refused = failure.type === 'StripeIdempotencyError' || failure.type === 'StripeInvalidRequestError';
  const status = failure.statusCode === undefined ? '' : ` with status ${failure.statusCode}`;
  return new ProviderError(
    refused ? 'refused' : 'failed',
    `Stripe answered ${failure.type ?? 'nothing'}${status}: ${failure.code ?? failure.message ?? 'no reason given'}`,
    thrown,
  );
}

function failureOf(thrown: unknown): StripeFailure {
  return typeof thrown === 'object' && thrown !== null ? (thrown as StripeFailure) : {};
}

/** What an event of Stripe's means for us; events about other things have neither charge nor refund. */
export function eventOf(event: Stripe.Event): ProviderEvent {
  const read: ProviderEvent = { id: event.id, type: event.type };
  switch (event.type) {
    case 'payment_intent.succeeded':
    case 'payment_intent.payment_failed':
    case 'payment_intent.canceled': {
      const { orderId } = event.data.object.metadata;
      const charge = outcomeOf(event.data.object);
      return orderId && charge ? { ...read, orderId, charge } : read;
    }
    case 'refund.created':
    case 'refund.updated':
    case 'refund.failed': {
      const { orderId, refundId } = event.data.object.metadata ?? {};
      const { status } = event.data.object;
      if (!orderId || !refundId || (status !== 'succeeded' && status !== 'failed')) return read;
      return { ...read, orderId, refund: { id: refundId, state: status === 'succeeded' ? 'done' : 'failed' } };
    }
    default:
      return read;
  }
}
