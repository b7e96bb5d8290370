/** A refund as it was decided: `pending` until the provider has said that the money went back. */
export interface RefundEntry {
  id: string;
  /** Minor units. */
  amount: number;
  state: 'pending' | 'done';
  /** Why, if somebody said so; a cancelled order's reason is in its own stream. */
  reason?: string;
  at: Date;
  doneAt?: Date;
}

export type ProviderName = 'simulated' | 'stripe';

interface AnyPayment {
  /** The order's id: an order has one payment, for ever. */
  _id: string;
  paymentId: string;
  /** The order was turned back: nothing may be charged any more, what was captured goes back. */
  cancelling: boolean;
  createdAt: Date;
  updatedAt: Date;
  /** Since when the provider has owed an answer; absent when it owes none. */
  openSince?: Date;
  /** Times the sweeper has asked since then. */
  attempts: number;
  lastError?: string;
}

interface ChargedPayment extends AnyPayment {
  userId: string;
  /** Minor units. */
  amount: number;
  currency: string;
  provider: ProviderName;
}

/** The provider was asked, or is about to be, and has not answered. */
export interface PendingPayment extends ChargedPayment {
  status: 'pending';
  /** Kept so that the provider can be asked again with the same parameters. */
  token: string;
}

export interface CapturedPayment extends ChargedPayment {
  status: 'captured';
  /** The provider's own id of the charge. */
  providerId: string;
  /** Captured minus all refund entries, pending ones too. */
  left: number;
  /** Sum of the refunds that are done. */
  refunded: number;
  /** How many refunds are pending. */
  openRefunds: number;
  refunds: RefundEntry[];
}

export interface DeclinedPayment extends ChargedPayment {
  status: 'declined';
  reason: string;
}

/** Left by a cancel that came before any charge; refuses a late one. */
export interface VoidPayment extends AnyPayment {
  status: 'void';
}

/** none → pending → captured | declined, or none → void. */
export type Payment = PendingPayment | CapturedPayment | DeclinedPayment | VoidPayment;

/** The refund of a cancelled order; the same for everybody who cancels, so that only one is made. */
export const cancelRefundId = (orderId: string): string => `cancel:${orderId}`;

/** Whether a charge of this payment must be refused: its order is cancelled or its money went back. */
export function isTurnedBack(payment: Payment): boolean {
  if (payment.status === 'void') return true;
  if (payment.status === 'declined') return false;
  return payment.cancelling || (payment.status === 'captured' && payment.refunds.length > 0);
}

/** The refund entry of that id, if there is one. */
export function refundOf(payment: CapturedPayment, refundId: string): RefundEntry | undefined {
  return payment.refunds.find(refund => refund.id === refundId);
}

export type PublicStatus = 'pending' | 'captured' | 'declined' | 'refunded' | 'partially_refunded';

/** The status that clients see; a void payment is never shown. */
export function publicStatus(payment: Exclude<Payment, VoidPayment>): PublicStatus {
  if (payment.status !== 'captured' || payment.refunded === 0) return payment.status;
  return payment.refunded === payment.amount ? 'refunded' : 'partially_refunded';
}

/** Wait before the first repetition, in milliseconds. */
const firstWaitMs = 1_000;

/**
 * Milliseconds until the provider is asked again: doubled each time up to a cap, half of it random ("equal jitter", AWS
 * Architecture Blog, "Exponential Backoff And Jitter").
 * @param attempts how often it was asked before, from 1
 * @param random uniform in [0, 1)
 */
export function backoffMs(attempts: number, capMs: number, random: number): number {
  const full = Math.min(capMs, firstWaitMs * 2 ** Math.min(30, attempts - 1));
  return Math.round(full / 2 + (random * full) / 2);
}

/** How long before the end of a key's life it is no longer used, in milliseconds; covers clocks and a slow request. */
const keyMarginMs = 3_600_000;

/**
 * Whether an idempotency key that was first used at `since` still protects against a second effect. A provider that has
 * forgotten the key would charge or refund again.
 */
export function isKeyAlive(since: Date, now: Date, keyLifetimeMs: number): boolean {
  return now.getTime() - since.getTime() < keyLifetimeMs - keyMarginMs;
}
