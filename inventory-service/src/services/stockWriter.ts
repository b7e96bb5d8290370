import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@tradepost/shared/clock';
import { currentContext, detached, type RequestContext, withContext } from '@tradepost/shared/context';
import { AppError } from '@tradepost/shared/errors';
import type { UpdateInGroup } from '@tradepost/shared/groupedUpdates';
import type { NewId } from '@tradepost/shared/ids';
import type { Failpoint } from '../config.ts';
import type { StockCommand } from '../domain/commands.ts';
import type { Movement, Stock } from '../domain/stock.ts';
import { type LedgerModel, movementOf } from '../models/ledger.ts';
import type { StockDocument, StockModel } from '../models/stock.ts';
import type { InventoryMetrics } from './metrics.ts';
import { planWrite } from './planWrite.ts';
import { createRecentDocuments, type RecentDocuments } from './recentDocuments.ts';

/** Changes stock. The only way to write a stock document beside opening it and draining its movements. */
export interface StockWriter {
  /**
   * Decides a command on the newest stock of the product and writes what it decided. Also an answer that changes nothing
   * is given only after a journaled write that matched what was read: what other processes wrote may still be forgotten
   * by a killed server, and must not be acted on before.
   * @returns the command's outcome, or undefined when the product has no stock document
   * @throws AppError `service_unavailable` when too many wait or write at once, `upstream_timeout` when the caller's
   * deadline is over before the command was tried; on any other error the outcome is unknown
   */
  apply<Outcome>(productId: string, command: StockCommand<Outcome>): Promise<Outcome | undefined>;
  /**
   * Reads, by one query, the stock of products that commands will follow on, so that each need not read its own; not
   * of those that are known already or are being written or read right now.
   * @returns what is known, by product; it may be outdated or forgotten, so it is good for a hint only
   */
  load(productIds: readonly string[]): Promise<ReadonlyMap<string, Stock>>;
}

export interface StockWriterOptions {
  stocks: StockModel;
  updateInGroup: UpdateInGroup;
  ledger: LedgerModel;
  clock: Clock;
  newId: NewId;
  random: () => number;
  lowStockThreshold: number;
  failpoint: Failpoint;
  metrics: InventoryMetrics;
  /** Moves a product's movements to the ledger at once. */
  drain(productId: string): Promise<void>;
  /** Called after movements or messages were written. */
  onChange(): void;
}

interface Waiting {
  command: StockCommand<unknown>;
  deadline: number;
  context: RequestContext | undefined;
  resolve(outcome: unknown): void;
  reject(error: unknown): void;
}

/** Commands written by one update. */
const maxBatch = 200;
const maxWaiting = 5_000;
const maxAttempts = 50;
/** Movements in the document from which on they are drained before more are added: bounds the document. */
const maxUndrained = 2_000;

/**
 * Commands on one product that arrive while a write of this process is on its way wait and are written together by the
 * next one, so a hot product costs two round trips per batch and not per buyer. Between processes the update's filter on
 * the revision decides who was first; the other reads and decides again.
 */
export function createStockWriter(options: StockWriterOptions): StockWriter {
  const queues = new Map<string, Waiting[]>();
  const recent = createRecentDocuments(options.clock);
  const loading = new Set<string>();

  async function work(productId: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const now = Date.now();
      const batch = queue.splice(0, maxBatch).filter(waiting => {
        if (waiting.deadline > now) return true;
        waiting.reject(new AppError('upstream_timeout', { retryAfter: 1 }));
        return false;
      });
      if (batch.length === 0) continue;
      try {
        // As a part of one of the requests that it is for, not of the first one ever to wait here.
        const { context } = batch.at(-1) as Waiting;
        const writing = () => write(options, recent, productId, batch);
        const outcomes = await (context ? withContext(context, writing) : detached(writing));
        for (const [index, waiting] of batch.entries()) waiting.resolve(outcomes?.[index]);
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
    }
    queues.delete(productId);
  }

  return {
    async load(productIds) {
      const isCold = (productId: string) => !queues.has(productId) && !recent.has(productId);
      const cold = productIds.filter(productId => isCold(productId) && !loading.has(productId));
      for (const productId of cold) loading.add(productId);
      try {
        const found = cold.length > 1 ? await options.stocks.find({ _id: { $in: cold } }).lean<StockDocument[]>() : [];
        for (const document of found) if (isCold(document._id)) recent.put(document);
      } finally {
        for (const productId of cold) loading.delete(productId);
      }
      const known = productIds.map(productId => [productId, recent.hint(productId)] as const);
      return new Map(known.filter((entry): entry is [string, StockDocument] => entry[1] !== undefined));
    },

    apply: <Outcome>(productId: string, command: StockCommand<Outcome>) =>
      new Promise<Outcome | undefined>((resolve, reject) => {
        const context = currentContext();
        const waiting: Waiting = {
          command,
          deadline: context?.deadline ?? Number.POSITIVE_INFINITY,
          context,
          resolve: outcome => resolve(outcome as Outcome | undefined),
          reject,
        };
        const queue = queues.get(productId);
        if (queue && queue.length >= maxWaiting) reject(busy());
        else if (queue) queue.push(waiting);
        else {
          const first = [waiting];
          queues.set(productId, first);
          void work(productId, first);
        }
      }),
  };
}

const busy = () =>
  new AppError('service_unavailable', { detail: 'Too many changes of one product at once', retryAfter: 1 });

/** Reads, decides and writes until a write meets the stock that was read. Undefined when there is no document. */
async function write(
  options: StockWriterOptions,
  recent: RecentDocuments,
  productId: string,
  batch: readonly Waiting[],
): Promise<unknown[] | undefined> {
  const { stocks, clock, failpoint, metrics } = options;
  const commands = batch.map(({ command }) => command);
  const names = new Set(commands.map(({ name }) => name));
  const traceparent = currentContext()?.traceparent;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    // Others are as fast as we are, so we wait a little at random before we meet them again.
    if (attempt > 1) await sleep(options.random() * Math.min(50, 2 ** attempt));
    const document = recent.take(productId) ?? (await stocks.findById(productId).lean<StockDocument>());
    if (!document) return undefined;
    if (document.movements.length >= maxUndrained) {
      await options.drain(productId);
      continue;
    }
    const history = await historyOf(options, document, commands);
    const plan = planWrite(document, commands, { history, at: clock() }, { ...options, traceparent });
    for (const name of names) await failpoint(`inventory.${name}.beforeWrite`);
    const { _id, revision, drained } = document;
    const one = { filter: { _id, revision, drained }, update: plan.update };
    // An adjustment decided twice would count twice, so it must know at once whether it was written.
    const matched = names.has('adjust')
      ? (await stocks.updateOne(one.filter, one.update)).matchedCount === 1
      : await options.updateInGroup(one);
    for (const name of names) await failpoint(`inventory.${name}.afterWrite`);
    if (matched ?? (await isWritten(stocks, plan.next))) {
      recent.put(plan.next);
      if (plan.changed) options.onChange();
      return plan.outcomes;
    }
    metrics.writeConflicts.inc();
  }
  throw busy();
}

/**
 * Whether our write is the newest. If it was made and another one followed, this says no and the commands are decided
 * again, which they allow, as after any write whose outcome is unknown.
 */
async function isWritten(stocks: StockModel, { _id, revision }: StockDocument): Promise<boolean> {
  return (await stocks.exists({ _id, revision })) !== null;
}

/** Movements that the commands must know. The ledger is read after the document: what left the one is in the other. */
async function historyOf(
  { ledger, failpoint }: StockWriterOptions,
  document: StockDocument,
  commands: readonly StockCommand<unknown>[],
): Promise<readonly Movement[]> {
  const orders = new Set(commands.map(command => command.historyOf?.(document)).filter(id => id !== undefined));
  if (orders.size === 0) return document.movements;
  await failpoint('inventory.history.beforeLedger');
  const rows = await ledger.find({ orderId: { $in: [...orders] }, productId: document._id }).lean();
  return [...document.movements, ...rows.map(movementOf)];
}
