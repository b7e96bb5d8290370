import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type CapturedPayment, type Payment, type PendingPayment } from '../domain/payment.ts';
import { ProviderError } from '../providers/provider.ts';
import type { PaymentTools } from './paymentTools.ts';
import { recordOutcome, settleCharge } from './settleCharge.ts';
import { recordRefunded, settleRefund } from './settleRefund.ts';

export interface SweepOptions {
  /** How often due payments are looked for, in milliseconds. */
  everyMs: number;
  /** Longest wait between two questions about the same payment, in milliseconds. */
  retryMaxMs: number;
  /** How long others keep off a payment that is being worked on, in milliseconds. */
  leaseMs: number;
  /** Age in milliseconds from which a payment without an answer is the operator's. */
  unresolvedAfterMs: number;
}

/** Payments that are asked about at the same time, so that one slow answer does not hold up the rest. */
const workers = 8;
/** Payments that are looked up together. */
const listed = 100;

/**
 * Asks again, until the provider has answered, for every charge and refund whose own caller was killed, gave up or got no
 * answer; the order may be long gone. Never gives up.
 */
export function createSweeper(tools: PaymentTools, options: SweepOptions) {
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let due: string[] = [];

  /** The next payment that is due and that no other sweeper has. */
  async function take(): Promise<Payment | null> {
    while (!stopping.signal.aborted) {
      await tools.failpoint('payment.sweep.beforeTake');
      if (due.length === 0) due = await tools.due.listDue(listed);
      const orderId = due.shift();
      const payment = orderId === undefined ? null : await tools.due.takeDue(orderId, options.leaseMs);
      await tools.failpoint('payment.sweep.afterTake');
      if (payment || orderId === undefined) return payment;
    }
    return null;
  }

  /** Works off what is due, beginning with `first`. */
  async function work(first: Payment | null): Promise<number> {
    let count = 0;
    for (let payment = first; payment; payment = await take()) {
      await resolveOrPostpone(tools, payment, options);
      count += 1;
    }
    return count;
  }

  /** Works off everything that is due. Returns how many that were. */
  async function sweep(): Promise<number> {
    const first = await take();
    const others = first ? Array.from({ length: workers - 1 }, async () => work(await take())) : [];
    const counts = await Promise.all([work(first), ...others]);
    const before = new Date(tools.clock().getTime() - options.unresolvedAfterMs);
    tools.metrics.unresolved.set(await tools.due.countOpenSince(before));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sweep().catch((error: unknown) => tools.logger.warn({ err: error }, 'payments could not be looked for'));
      await sleep(options.everyMs, undefined, { signal }).catch(() => {});
    }
  }

  return {
    sweep,
    start(): void {
      stopping = new AbortController();
      running = run(stopping.signal);
    },
    /** Resolves when the questions that were asked are answered or given up. */
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}

async function resolveOrPostpone(tools: PaymentTools, payment: Payment, options: SweepOptions): Promise<void> {
  try {
    await resolvePayment(tools, payment);
  } catch (error) {
    const { _id: orderId, paymentId, attempts } = payment;
    tools.logger.warn({ err: error, orderId, paymentId, attempts }, 'the payment provider has not answered yet');
    const waitMs = backoffMs(attempts, options.retryMaxMs, tools.random());
    await tools.due.postpone(orderId, waitMs, error instanceof Error ? error.message : String(error));
  }
}

/** Gets every answer that the provider owes for a payment. */
async function resolvePayment(tools: PaymentTools, payment: Payment): Promise<void> {
  const known = payment.status === 'pending' ? await resolveCharge(tools, payment) : payment;
  if (known.status === 'captured') await resolveRefunds(tools, known);
}

/** The same charge again and, as Stripe replays even a 500, a look at what became of it. */
async function resolveCharge(tools: PaymentTools, payment: PendingPayment): Promise<Payment> {
  try {
    return (await settleCharge(tools, payment)).payment;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const found = await tools.ask.find(payment._id);
    if (!found?.outcome) throw error;
    return (await recordOutcome(tools, payment, found.outcome)).payment;
  }
}

async function resolveRefunds(tools: PaymentTools, payment: CapturedPayment): Promise<void> {
  const failures: unknown[] = [];
  for (const refund of payment.refunds) {
    try {
      await settleRefund(tools, payment, refund);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      if (await tools.ask.findRefund(payment, refund).catch(() => false)) {
        await recordRefunded(tools, payment, refund.id);
      } else failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
