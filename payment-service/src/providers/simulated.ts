import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@tradepost/shared/clock';
import type { Connection } from 'mongoose';
import type { Failpoint } from '../config.ts';
import { type ChargeOutcome, type LedgerEntry, type PaymentProvider, ProviderError } from './provider.ts';
import { createSimulatedLedger, type Decision, type LedgerRow } from './simulatedLedger.ts';

interface Behaviour {
  decision: Decision;
  /** Server errors before it decides. */
  failures?: number;
  delayMs?: number;
  /** Decides, but the call that did never gets its answer. */
  silent?: boolean;
}

const captured: Decision = { state: 'captured' };
const declined = (reason: string): Behaviour => ({ decision: { state: 'declined', reason } });

/** What each test token does. */
const behaviours: Readonly<Record<string, Behaviour>> = {
  tok_visa: { decision: captured },
  tok_declined: declined('card_declined'),
  tok_insufficient_funds: declined('insufficient_funds'),
  tok_flaky: { decision: captured, failures: 2 },
  tok_timeout: { decision: captured, silent: true },
  tok_slow: { decision: captured, delayMs: 3_000 },
};

export interface SimulatedProviderOptions {
  /** Where its books are; they share nothing with the service's own documents. */
  connection: Connection;
  clock: Clock;
  newId: () => string;
  failpoint?: Failpoint;
  /** Waits for a behaviour's delay; rejects when the signal aborts. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * A payment provider that moves no money. Like a remote one it goes on with what it was asked when the caller has
 * stopped waiting, and keeps its own durable books.
 */
export function createSimulatedProvider(options: SimulatedProviderOptions): PaymentProvider {
  const ledger = createSimulatedLedger(options.connection, options);
  const failpoint = options.failpoint ?? (() => {});
  const pause = options.pause ?? ((ms, signal) => sleep(ms, undefined, { signal }));
  const closing = new AbortController();

  return {
    name: 'simulated',
    keyLifetimeMs: Number.POSITIVE_INFINITY,

    async charge(charge, signal) {
      await failpoint('provider.charge.beforeLedger');
      const behaviour = Object.hasOwn(behaviours, charge.token) ? behaviours[charge.token] : undefined;
      const { decision, failures = 0, delayMs, silent } = behaviour ?? declined('invalid_token');
      if (failures > 0 || delayMs) {
        const known = await ledger.claim(charge);
        if (known && known.state !== 'failing') return outcomeOf(known);
      }
      if (failures > 0) {
        const row = await ledger.fail(charge);
        if (row.state !== 'failing') return outcomeOf(row);
        if (row.failures <= failures) throw new ProviderError('failed', 'The provider answered with status 500');
      }
      if (delayMs) await pause(delayMs, closing.signal);
      const { row, first } = await ledger.decide(charge, decision);
      await failpoint('provider.charge.afterLedger');
      if (first && silent) await silence(AbortSignal.any([signal, closing.signal]));
      return outcomeOf(row);
    },

    async cancel(charge) {
      await failpoint('provider.cancel.beforeLedger');
      const { row } = await ledger.decide(charge, { state: 'cancelled', reason: 'cancelled' });
      await failpoint('provider.cancel.afterLedger');
      return outcomeOf(row);
    },

    async refund(refund) {
      await failpoint('provider.refund.beforeLedger');
      await ledger.refund(refund);
      await failpoint('provider.refund.afterLedger');
    },

    async find({ orderId }) {
      const row = await ledger.look(orderId);
      return row ? entryOf(row) : undefined;
    },

    async findRefund(refund) {
      const row = await ledger.look(refund.orderId);
      return row?.refunds.some(one => one.key === refund.id && one.amount === refund.amount) ?? false;
    },

    async ledger({ limit, after }) {
      const rows = await ledger.page(limit, after);
      return { items: rows.map(entryOf), next: rows.length === limit ? (rows.at(-1)?._id ?? null) : null };
    },

    close: async () => closing.abort(),
  };
}

function outcomeOf(row: LedgerRow): ChargeOutcome {
  if (row.state !== 'captured') return { status: 'declined', reason: row.reason ?? 'declined' };
  return { status: 'captured', providerId: row.providerId, amount: row.amount, currency: row.currency };
}

function entryOf(row: LedgerRow): LedgerEntry {
  const refunded = row.refunds.reduce((sum, refund) => sum + refund.amount, 0);
  return { orderId: row._id, outcome: row.state === 'failing' ? undefined : outcomeOf(row), refunded };
}

async function silence(signal: AbortSignal): Promise<never> {
  await new Promise<void>(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  throw new ProviderError('late', 'The answer was lost');
}
