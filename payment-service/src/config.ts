import { ConfigError, integer } from '@tradepost/shared/config';
import { z } from 'zod';
import type { PaymentProvider } from './providers/provider.ts';

/** Settings of this service beside the common ones. Times in milliseconds. */
export const settings = {
  PAYMENT_PROVIDER: z.enum(['simulated', 'stripe'], 'must be simulated or stripe').default('simulated'),
  /** How long one call to the provider is waited for; afterwards its outcome is unknown. */
  PROVIDER_TIMEOUT_MS: integer(100, 14_000, 4_000),
  /** How often payments that wait for the provider are looked for. */
  PAYMENT_SWEEP_MS: integer(10, 60_000, 1_000),
  /** Longest wait between two questions about the same payment. */
  PAYMENT_RETRY_MAX_MS: integer(100, 3_600_000, 15_000),
  /** After this long without an answer a payment is listed for the operator. */
  PAYMENT_UNRESOLVED_AFTER_MS: integer(1_000, 86_400_000, 900_000),
  STRIPE_API_KEY: z.string().optional(),
  STRIPE_WEBHOOK_SECRET: z.string().optional(),
  STRIPE_API_BASE: z.url({ protocol: /^https?$/, error: 'must be an http address' }).default('https://api.stripe.com'),
};

/** A named point of the code at which tests end, freeze or fail the process; does nothing otherwise. */
export type Failpoint = (name: string) => Promise<void> | void;

export type PaymentConfig = z.infer<z.ZodObject<typeof settings>> & {
  failpoint?: Failpoint;
  /** Takes the place of the provider that PAYMENT_PROVIDER names. */
  provider?: PaymentProvider;
};

/**
 * What Stripe needs.
 * @throws ConfigError when the provider is stripe and one of them is missing
 */
export function stripeSettings(config: PaymentConfig): { apiKey: string; webhookSecret: string; apiBase: string } {
  const missing = (['STRIPE_API_KEY', 'STRIPE_WEBHOOK_SECRET'] as const).filter(name => !config[name]);
  if (missing.length > 0) {
    throw new ConfigError(missing.map(name => `${name}: is not set, and PAYMENT_PROVIDER is stripe`).join('\n'));
  }
  return {
    apiKey: config.STRIPE_API_KEY ?? '',
    webhookSecret: config.STRIPE_WEBHOOK_SECRET ?? '',
    apiBase: config.STRIPE_API_BASE,
  };
}
