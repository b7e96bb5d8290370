import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import type Stripe from 'stripe';
import { type Charge, type ChargeOutcome, type PaymentProvider, ProviderError } from './provider.ts';
import { declineOf, entryOf, eventOf, outcomeOf, unknownOutcome } from './stripeOutcome.ts';

export interface StripeProviderOptions {
  apiKey: string;
  webhookSecret: string;
  /** Base address of the API, `https://api.stripe.com` unless something stands in for it. */
  apiBase: string;
  timeoutMs: number;
  clock: Clock;
}

/** Seconds that a webhook's signature stays good: Stripe's own default. */
const signatureToleranceSeconds = 300;

/**
 * Stripe through its official library: one PaymentIntent per order, made and confirmed by one request whose idempotency
 * key is the order's id; refunds under their own ids. Stripe replays the first answer to a key for at least 24 hours, a
 * 500 too (https://docs.stripe.com/api/idempotent_requests), so an unknown outcome is asked for again and then looked up.
 *
 * There is no `cancel`: a PaymentIntent whose answer was lost has no id that it could be cancelled by.
 */
export function createStripeProvider(options: StripeProviderOptions): PaymentProvider {
  let loading: Promise<Stripe> | undefined;
  // The library takes 0.2 s to load, which only shops that use it should pay.
  const client = (): Promise<Stripe> => {
    loading ??= connect(options);
    return loading;
  };

  async function attempt<T>(work: (stripe: Stripe) => Promise<T>): Promise<T> {
    try {
      return await work(await client());
    } catch (error) {
      throw unknownOutcome(error);
    }
  }

  const retrieve = (stripe: Stripe, id: string) => stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });

  return {
    name: 'stripe',
    keyLifetimeMs: 24 * 3_600_000,

    charge: charge =>
      attempt(async stripe => {
        try {
          const intent = await stripe.paymentIntents.create(intentOf(charge), { idempotencyKey: charge.orderId });
          return decided(intent);
        } catch (error) {
          const decline = declineOf(error);
          if (decline) return decline;
          throw error;
        }
      }),

    refund: refund =>
      attempt(async stripe => {
        const { status } = await stripe.refunds.create(
          {
            payment_intent: refund.providerId,
            amount: refund.amount,
            metadata: { orderId: refund.orderId, refundId: refund.id },
          },
          { idempotencyKey: refund.id },
        );
        if (status !== 'succeeded') throw new ProviderError('unclear', `Stripe says that the refund is ${status}`);
      }),

    find: ({ orderId, providerId }) =>
      attempt(async stripe => {
        if (providerId) return entryOf(await retrieve(stripe, providerId));
        const query = `metadata['orderId']:'${orderId.replace(/['\\]/g, '\\$&')}'`;
        const found = await stripe.paymentIntents.search({ query, limit: 10 });
        // The search index lags behind; what an id says does not.
        const intents = await Promise.all(found.data.map(intent => retrieve(stripe, intent.id)));
        const best = intents.find(intent => intent.status === 'succeeded') ?? intents[0];
        return best ? entryOf(best) : undefined;
      }),

    findRefund: refund =>
      attempt(async stripe => {
        for await (const one of stripe.refunds.list({ payment_intent: refund.providerId, limit: 100 })) {
          if (one.metadata?.refundId !== refund.id) continue;
          return one.status === 'succeeded' && one.amount === refund.amount;
        }
        return false;
      }),

    ledger: ({ limit, after }) =>
      attempt(async stripe => {
        const page = await stripe.paymentIntents.list({
          limit,
          ...(after ? { starting_after: after } : {}),
          expand: ['data.latest_charge'],
        });
        const items = page.data.filter(intent => intent.metadata.orderId).map(entryOf);
        return { items, next: page.has_more ? (page.data.at(-1)?.id ?? null) : null };
      }),

    async readEvent(body, signature) {
      const stripe = await client();
      try {
        const now = options.clock().getTime();
        const { webhooks } = stripe;
        return eventOf(
          webhooks.constructEvent(
            body,
            signature ?? '',
            options.webhookSecret,
            signatureToleranceSeconds,
            undefined,
            now,
          ),
        );
      } catch (cause) {
        throw new AppError('bad_signature', { cause });
      }
    },

    close: async () => {},
  };
}

async function connect(options: StripeProviderOptions): Promise<Stripe> {
  const { default: Library } = await import('stripe');
  const base = new URL(options.apiBase);
  const protocol = base.protocol === 'http:' ? 'http' : 'https';
  return new Library(options.apiKey, {
    host: base.hostname,
    port: base.port || (protocol === 'http' ? 80 : 443),
    protocol,
    // We repeat calls ourselves, durably and under the same key.
    maxNetworkRetries: 0,
    timeout: options.timeoutMs,
    telemetry: false,
  });
}

/** A card payment that is decided at once: what would need the customer again is declined. */
function intentOf(charge: Charge): Stripe.PaymentIntentCreateParams {
  const method = charge.token.startsWith('pm_')
    ? { payment_method: charge.token }
    : { payment_method_data: { type: 'card', card: { token: charge.token } } };
  return {
    amount: charge.amount,
    currency: charge.currency.toLowerCase(),
    allowed_payment_method_types: ['card'],
    capture_method: 'automatic',
    confirm: true,
    error_on_requires_action: true,
    metadata: { orderId: charge.orderId },
    // Stripe's types leave out that a card may be given by its token.
    ...(method as Pick<Stripe.PaymentIntentCreateParams, 'payment_method' | 'payment_method_data'>),
  };
}

function decided(intent: Stripe.PaymentIntent): ChargeOutcome {
  const outcome = outcomeOf(intent);
  if (!outcome) throw new ProviderError('unclear', `Stripe says that the payment is ${intent.status}`);
  return outcome;
}
