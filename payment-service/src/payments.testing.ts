import { test } from 'node:test';
import { startTestDatabase } from '@tradepost/local/testing';
import type { CancelAnswer } from '@tradepost/shared/contracts/payments';
import { isAppError } from '@tradepost/shared/errors';
import { newId } from '@tradepost/shared/ids';
import { silentLogger } from '@tradepost/shared/logger';
import { buildIndexes, createConnection } from '@tradepost/shared/mongo';
import { createRegistry } from '@tradepost/shared/observability/metrics';
import type { Connection } from 'mongoose';
import type { PaymentFailpoint } from './domain/failpoints.ts';
import type { CapturedPayment, Payment } from './domain/payment.ts';
import { createPaymentModel } from './models/payment.ts';
import { type PaymentProvider, ProviderError } from './providers/provider.ts';
import { createSimulatedProvider } from './providers/simulated.ts';
import { cancelPayment } from './services/cancelPayment.ts';
import { chargePayment } from './services/chargePayment.ts';
import { createDueSteps } from './services/dueSteps.ts';
import { createPaymentMetrics } from './services/paymentMetrics.ts';
import { createPaymentSteps } from './services/paymentSteps.ts';
import type { PaymentTools } from './services/paymentTools.ts';
import { createProviderCalls } from './services/providerCalls.ts';
import { refundPayment } from './services/refundPayment.ts';
import { createRefundSteps } from './services/refundSteps.ts';
import { createSweeper } from './services/sweepPayments.ts';

/** What a killed process looks like to whoever called it. */
export class Killed extends Error {
  override name = 'Killed';
}

/**
 * Named points of the code as a test uses them: what is planted at one happens at its next hit, once.
 */
export function createPoints() {
  const planted = new Map<string, (() => Promise<void> | void)[]>();
  const hits: string[] = [];
  return {
    hits,
    /** Called at every point: how fast whoever is there goes on. */
    pace: undefined as ((name: string) => Promise<unknown>) | undefined,
    async failpoint(name: string): Promise<void> {
      hits.push(name);
      await this.pace?.(name);
      await planted.get(name)?.shift()?.();
    },
    /** The next one that comes here dies; with `hit`, only the hit-th. */
    kill(name: PaymentFailpoint, hit = 1): void {
      const die = () => {
        throw new Killed(name);
      };
      const passes = Array.from({ length: hit - 1 }, () => () => {});
      planted.set(name, [...(planted.get(name) ?? []), ...passes, die]);
    },
    /** Forgets what was planted and not met. Returns whether there was something. */
    clear(): boolean {
      const left = [...planted.values()].some(entries => entries.length > 0);
      planted.clear();
      return left;
    },
    /** The next one that comes here waits until it is let go. Resolves when it is there. */
    hold(name: PaymentFailpoint): { there: Promise<void>; go: () => void } {
      const { promise: there, resolve: arrived } = Promise.withResolvers<void>();
      const { promise: gone, resolve: go } = Promise.withResolvers<void>();
      planted.set(name, [
        ...(planted.get(name) ?? []),
        () => {
          arrived();
          return gone;
        },
      ]);
      return { there, go };
    },
  };
}

/** A database for one test or, with `after` of node:test itself, for one file; with nothing in it. */
export async function testConnection(context: { after: (work: () => Promise<void>) => void }): Promise<Connection> {
  const database = await startTestDatabase();
  const connection = createConnection(database.uri('payments'));
  await connection.asPromise();
  context.after(async () => {
    await connection.dropDatabase();
    await connection.close();
    await database.close();
  });
  return connection;
}

export interface BenchOptions {
  /** Replaces or wraps the simulated provider. */
  provider?: (simulated: PaymentProvider) => PaymentProvider;
  timeoutMs?: number;
}

/** The use cases on a real store and the simulated provider, with a clock and points that the test moves. */
export async function createBench(connection: Connection, options: BenchOptions = {}) {
  const points = createPoints();
  let now = Date.parse('2026-11-22T12:00:00.000Z');
  const clock = () => new Date(now);
  const simulated = createSimulatedProvider({ connection, clock, newId, failpoint: name => points.failpoint(name) });
  const provider = options.provider?.(simulated) ?? simulated;
  const model = createPaymentModel(connection);
  await buildIndexes(connection);
  const metrics = createPaymentMetrics(createRegistry('payment-service', { processMetrics: false }));
  const steps = { clock, newId, graceMs: 1_000 };
  const tools: PaymentTools = {
    ...{ model, provider, metrics, clock, random: () => 0.5, logger: silentLogger() },
    failpoint: name => points.failpoint(name),
    charges: createPaymentSteps(model, steps),
    refunds: createRefundSteps(model, steps),
    due: createDueSteps(model, clock),
    ask: createProviderCalls({ provider, timeoutMs: options.timeoutMs ?? 2_000, clock, metrics }),
    wakeRelay: () => {},
  };
  const sweepOptions = { everyMs: 1_000, retryMaxMs: 10_000, leaseMs: 5_000, unresolvedAfterMs: 900_000 };
  const sweeper = createSweeper(tools, sweepOptions);
  const requestOf = (orderId: string, token: string, amount: number) => ({
    ...{ orderId, token, userId: 'user-1' },
    amount: { amount, currency: 'GBP' },
  });
  return {
    ...{ tools, points, simulated, model, sweepOptions },
    pass(ms: number): void {
      now += ms;
    },
    charge: (orderId: string, token = 'tok_visa', amount = 1_000) =>
      chargePayment(tools, requestOf(orderId, token, amount)),
    cancel: (orderId: string): Promise<CancelAnswer> => cancelPayment(tools, orderId),
    refund: (orderId: string, refundId: string, amount?: number, reason?: string) =>
      refundPayment(tools, { orderId, refundId, ...(amount ? { amount } : {}), ...(reason ? { reason } : {}) }),
    /** Lets time pass and the sweeper work until the provider owes nothing, at most `turns` times. */
    async settle(turns = 50): Promise<void> {
      for (let turn = 0; turn < turns && (await model.exists({ dueAt: { $gt: new Date(0) } })); turn += 1) {
        now += 20_000;
        await sweeper.sweep();
      }
    },
    sweep: () => sweeper.sweep(),
    read: (orderId: string) => model.findById(orderId).lean<Payment>().exec(),
    async captured(orderId: string): Promise<CapturedPayment> {
      const payment = await model.findById(orderId).lean<Payment>().exec();
      if (payment?.status !== 'captured') throw new Error(`${orderId} is ${payment?.status ?? 'not there'}`);
      return payment;
    },
    /** What the provider's own books say: minor units taken and given back. */
    async books(orderId: string): Promise<{ captured: number; refunded: number }> {
      const entry = await simulated.find({ orderId }, new AbortController().signal);
      const captured = entry?.outcome?.status === 'captured' ? entry.outcome.amount : 0;
      return { captured, refunded: entry?.refunded ?? 0 };
    },
    /** What our own document says. */
    async ours(orderId: string): Promise<{ captured: number; refunded: number }> {
      const payment = await model.findById(orderId).lean<Payment>().exec();
      return payment?.status === 'captured'
        ? { captured: payment.amount, refunded: payment.refunded }
        : { captured: 0, refunded: 0 };
    },
    /** Types of the messages in the outbox, in order. */
    async messages(orderId: string): Promise<string[]> {
      const row = await model.findById(orderId).lean();
      return (row?.outbox ?? []).map(message => message.type);
    },
  };
}

export type Bench = Awaited<ReturnType<typeof createBench>>;

/** A test with a bench of its own. */
export function benchTest(name: string, work: (bench: Bench) => Promise<void>, options: BenchOptions = {}): void {
  test(name, async context => work(await createBench(await testConnection(context), options)));
}

/** The answer, or the refusal or unknown outcome in its place; anything else is a bug and thrown. */
export const outcome = <T>(work: Promise<T>): Promise<T | Error> =>
  work.catch((error: unknown) => {
    if (isAppError(error) || error instanceof ProviderError) return error;
    throw error;
  });

/** Works on all items, on `limit` of them at a time: fewer than would wait for a connection for too long. */
export async function inParallel<T>(limit: number, items: readonly T[], work: (item: T) => Promise<void>) {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
