import type { ProviderName } from '../domain/payment.ts';

/** A charge; the order's id is its idempotency key. */
export interface Charge {
  orderId: string;
  /** Minor units. */
  amount: number;
  /** ISO 4217. */
  currency: string;
  token: string;
}

/** A refund; `id` is its idempotency key. */
export interface Refund {
  id: string;
  orderId: string;
  /** The provider's id of the charge. */
  providerId: string;
  /** Minor units. */
  amount: number;
  currency: string;
}

/** A final answer. `amount` is what the provider says that it took, in minor units. */
export type ChargeOutcome =
  | { status: 'captured'; providerId: string; amount: number; currency: string }
  | { status: 'declined'; reason: string };

/** What the provider's own books say of an order. */
export interface LedgerEntry {
  orderId: string;
  /** Undefined while the provider has not decided. */
  outcome: ChargeOutcome | undefined;
  /** Minor units given back. */
  refunded: number;
}

/** A verified event that the provider sent us. */
export interface ProviderEvent {
  id: string;
  type: string;
  orderId?: string;
  charge?: ChargeOutcome;
  refund?: { id: string; state: 'done' | 'failed' };
}

/**
 * Somebody who moves money. Every call can be repeated: a key that was used before gives the same result, and an error
 * with other parameters. A call that throws has an unknown outcome; only an answer is an answer.
 */
export interface PaymentProvider {
  readonly name: ProviderName;
  /** How long it remembers an idempotency key, in milliseconds. */
  readonly keyLifetimeMs: number;
  /** @throws ProviderError when the outcome is unknown */
  charge(charge: Charge, signal: AbortSignal): Promise<ChargeOutcome>;
  /** Resolves when the money is given back. @throws ProviderError when that is not known */
  refund(refund: Refund, signal: AbortSignal): Promise<void>;
  /**
   * Makes sure that the charge never captures if it has not yet: what `charge` answers from then on.
   * Absent where the provider cannot; then the charge itself is repeated until it is decided.
   */
  cancel?(charge: Charge, signal: AbortSignal): Promise<ChargeOutcome>;
  /** What it knows of an order. Undefined says nothing: a request may still be on its way. */
  find(order: { orderId: string; providerId?: string }, signal: AbortSignal): Promise<LedgerEntry | undefined>;
  /** Whether it has given this refund; false says nothing, as above. */
  findRefund(refund: Refund, signal: AbortSignal): Promise<boolean>;
  /** Its books, in a stable order; `after` is the `next` of the page before. */
  ledger(page: { limit: number; after?: string }, signal: AbortSignal): Promise<LedgerPage>;
  /**
   * Reads an event that it sent. Absent where there are none.
   * @throws AppError `bad_signature`
   */
  readEvent?(body: Buffer, signature: string | undefined): Promise<ProviderEvent>;
  /** Ends what still runs. */
  close(): Promise<void>;
}

export interface LedgerPage {
  items: LedgerEntry[];
  next: string | null;
}

/**
 * The outcome of a call is not known. `late` it did not answer in time · `failed` it failed or could not be reached ·
 * `refused` it says no in a way that decides nothing, as for a key with other parameters · `unclear` its answer does not
 * make sense.
 */
export class ProviderError extends Error {
  override name = 'ProviderError';
  readonly kind: 'late' | 'failed' | 'refused' | 'unclear';

  constructor(kind: ProviderError['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.kind = kind;
  }
}
