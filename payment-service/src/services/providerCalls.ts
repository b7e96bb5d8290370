import type { Clock } from '@tradepost/shared/clock';
import { AppError } from '@tradepost/shared/errors';
import { type CapturedPayment, isKeyAlive, type PendingPayment, type RefundEntry } from '../domain/payment.ts';
import {
  type ChargeOutcome,
  type LedgerEntry,
  type LedgerPage,
  type PaymentProvider,
  ProviderError,
  type Refund,
} from '../providers/provider.ts';
import type { PaymentMetrics } from './paymentMetrics.ts';

export interface ProviderCallOptions {
  provider: PaymentProvider;
  timeoutMs: number;
  clock: Clock;
  metrics: PaymentMetrics;
}

/**
 * Calls to the provider with a bounded wait. Each throws ProviderError when its outcome is unknown, whatever went wrong.
 */
export function createProviderCalls({ provider, timeoutMs, clock, metrics }: ProviderCallOptions) {
  async function bounded<T>(operation: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const observe = metrics.providerSeconds.startTimer({ operation });
    const gone = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        gone.abort();
        reject(new ProviderError('late', `The payment provider did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      const answer = await Promise.race([call(gone.signal), late]);
      observe({ outcome: 'answered' });
      return answer;
    } catch (error) {
      const unknown = error instanceof ProviderError ? error : new ProviderError('failed', String(error), error);
      observe({ outcome: unknown.kind });
      throw unknown;
    } finally {
      clearTimeout(timer);
    }
  }

  function requireKey(since: Date): void {
    if (isKeyAlive(since, clock(), provider.keyLifetimeMs)) return;
    throw new ProviderError('refused', 'The provider may have forgotten the key: asking again could move money twice');
  }

  return {
    /** Charges, or for a cancelled order makes sure that nothing is charged, always with the parameters of the first time. */
    charge(payment: PendingPayment): Promise<ChargeOutcome> {
      const { _id: orderId, amount, currency, token, cancelling, createdAt } = payment;
      const charge = { orderId, amount, currency, token };
      return bounded(cancelling && provider.cancel ? 'cancel' : 'charge', async signal => {
        if (cancelling && provider.cancel) return provider.cancel(charge, signal);
        requireKey(createdAt);
        return provider.charge(charge, signal);
      });
    },

    refund(payment: CapturedPayment, refund: RefundEntry): Promise<void> {
      return bounded('refund', async signal => {
        requireKey(refund.at);
        await provider.refund(requestOf(payment, refund), signal);
      });
    },

    /** What the provider knows of an order; undefined is no answer. */
    find: (orderId: string, providerId?: string): Promise<LedgerEntry | undefined> =>
      bounded('find', signal => provider.find({ orderId, ...(providerId ? { providerId } : {}) }, signal)),

    /** Whether the provider has given this refund; false is no answer. */
    findRefund: (payment: CapturedPayment, refund: RefundEntry): Promise<boolean> =>
      bounded('findRefund', signal => provider.findRefund(requestOf(payment, refund), signal)),

    ledger: (page: { limit: number; after?: string }): Promise<LedgerPage> =>
      bounded('ledger', signal => provider.ledger(page, signal)),
  };
}

export type ProviderCalls = ReturnType<typeof createProviderCalls>;

function requestOf(payment: CapturedPayment, refund: RefundEntry): Refund {
  const { _id: orderId, providerId, currency } = payment;
  return { id: refund.id, orderId, providerId, amount: refund.amount, currency };
}

/** What a caller hears when the provider's outcome is unknown: ask again. Other errors stay as they are. */
export function unknownOutcomeAnswer(error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  return new AppError(error.kind === 'late' ? 'upstream_timeout' : 'service_unavailable', {
    detail: 'The payment provider has not said what became of it; the same request may be sent again',
    retryAfter: 1,
    cause: error,
  });
}
