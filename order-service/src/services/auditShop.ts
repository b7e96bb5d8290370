import type { Clock } from '@tradepost/shared/clock';
import type { AuditedProducts, OrderStocks } from '@tradepost/shared/contracts/inventory';
import type { AuditedPayment } from '@tradepost/shared/contracts/payments';
import { type AuditCheck, type AuditFinding, auditChecks, compareConfirmed, compareFinished } from '../domain/audit.ts';
import { fold, type Order, productIdsOf } from '../domain/order.ts';
import { type EventStore, recorded } from '../events/eventStore.ts';
import { sameView } from '../events/views.ts';
import type { CommitDocument, CommitModel } from '../models/commit.ts';
import type { OrderViewModel } from '../models/orderView.ts';
import type { SagaModel } from '../models/saga.ts';
import { auditOthersBooks, inBatches } from './auditBooks.ts';

/** What the audit asks of the other services; each call gives one page. */
export interface AuditSources {
  products(cursor?: string): Promise<AuditedProducts>;
  stockOf(orders: readonly { orderId: string; productIds: string[] }[]): Promise<OrderStocks['items']>;
  payments(cursor?: string): Promise<{ items: AuditedPayment[]; nextCursor: string | null }>;
  paymentsOf(orderIds: readonly string[]): Promise<AuditedPayment[]>;
  provider(cursor?: string): Promise<{ items: AuditedPayment[]; nextCursor: string | null }>;
}

export interface AuditReport {
  clean: boolean;
  checks: { check: AuditCheck; what: string; checked: number; findings: number }[];
  /** At most 1,000. */
  findings: AuditFinding[];
  durationMs: number;
}

/**
 * Holds the books of the whole shop against each other while it runs. What is still being worked on is left alone until it
 * is `patienceMs` old, by default 30 s; what looks wrong is looked at again before it counts, since two books are never read at one moment.
 */
export type AuditShop = (
  options?: { patienceMs?: number },
  onProgress?: (done: number, total: number) => void,
) => Promise<AuditReport>;

export interface AuditDependencies {
  eventStore: EventStore;
  commits: CommitModel;
  sagas: SagaModel;
  views: OrderViewModel;
  sources: AuditSources;
  clock: Clock;
  /** Resolves after so many milliseconds. */
  pause: (ms: number) => Promise<void>;
}

const defaultPatienceMs = 30_000;
const batchSize = 50;
const maxFindings = 1_000;
const looks = 3;
const lookAgainMs = 500;

type Stream = { orderId: string; commits: CommitDocument[] };

export function auditShopUseCase(dependencies: AuditDependencies): AuditShop {
  const { eventStore, commits, clock, pause } = dependencies;
  return async ({ patienceMs = defaultPatienceMs } = {}, onProgress = () => {}) => {
    const started = clock().getTime();
    const checked = new Map<AuditCheck, number>();
    const findings: AuditFinding[] = [];
    const count = (check: AuditCheck, by = 1) => checked.set(check, (checked.get(check) ?? 0) + by);

    const total = await commits.estimatedDocumentCount();
    let done = 0;
    for await (const batch of inBatches(eventStore.streams(), batchSize)) {
      let suspects = await auditBatch(batch, patienceMs, dependencies, count);
      for (let look = 1; look < looks && suspects.length > 0; look += 1) {
        await pause(lookAgainMs);
        suspects = await auditBatch(await readAgain(suspects, commits), patienceMs, dependencies, () => {});
      }
      findings.push(...suspects);
      done += batch.reduce((sum, one) => sum + one.commits.length, 0);
      onProgress(done, Math.max(done, total));
    }
    findings.push(...(await auditOthersBooks(dependencies, patienceMs, count)));
    const byCheck = Map.groupBy(findings, one => one.check);
    return {
      clean: findings.length === 0,
      checks: (Object.keys(auditChecks) as AuditCheck[]).map(check => ({
        check,
        what: auditChecks[check],
        checked: checked.get(check) ?? 0,
        findings: byCheck.get(check)?.length ?? 0,
      })),
      findings: findings.slice(0, maxFindings),
      durationMs: clock().getTime() - started,
    };
  };
}

/** Counts what a check has looked at. */
export type Count = (check: AuditCheck, by?: number) => void;

/** All checks on some orders. */
async function auditBatch(
  batch: readonly Stream[],
  patienceMs: number,
  { sagas, views, sources, clock }: AuditDependencies,
  count: Count,
): Promise<AuditFinding[]> {
  const ids = batch.map(one => one.orderId);
  const findings: AuditFinding[] = [];
  const folded = new Map<string, Order>();
  for (const { orderId, commits: stream } of batch) {
    count('versions');
    try {
      const order = fold(stream.flatMap(recorded));
      if (order) folded.set(orderId, order);
    } catch (error) {
      findings.push({ check: 'versions', id: orderId, detail: error instanceof Error ? error.message : String(error) });
    }
  }
  const wanted = [...folded].map(([orderId, order]) => ({ orderId, productIds: productIdsOf(order) }));
  const [sagaRows, viewRows, stockRows, payments] = await Promise.all([
    sagas.find({ _id: { $in: ids } }).lean(),
    views.find({ _id: { $in: ids } }).lean(),
    Promise.all(portionsOf(wanted).map(portion => sources.stockOf(portion))).then(rows => rows.flat()),
    sources.paymentsOf(ids),
  ]);
  const stockOf = Map.groupBy(stockRows, row => row.orderId);
  const now = clock().getTime();
  for (const { orderId, commits: stream } of batch) {
    const order = folded.get(orderId);
    if (!order) continue;
    const saga = sagaRows.find(row => row._id === orderId);
    const unpublished = stream.find(commit => commit.pending);
    const unfinished = unfinishedBecause(saga, unpublished, order);
    const isYoung = saga !== undefined && now - order.updatedAt.getTime() <= patienceMs;
    count('unfinished');
    if (unfinished && !isYoung) findings.push({ check: 'unfinished', id: orderId, detail: unfinished });
    if (!unpublished) {
      count('view');
      const view = viewRows.find(row => row._id === orderId);
      if (!sameView(view, order)) {
        const detail = view ? `shows version ${view.version} of ${order.version} or other values` : 'is missing';
        findings.push({ check: 'view', id: orderId, detail });
      }
    }
    for (const check of unfinished ? (['money', 'holds'] as const) : (['money', 'sold', 'holds'] as const))
      count(check);
    const payment = payments.find(row => row.orderId === orderId);
    const compare = unfinished ? compareConfirmed : compareFinished;
    findings.push(...compare(orderId, order, payment, stockOf.get(orderId) ?? []));
  }
  return findings;
}

/** Lines whose stock one call asks for; many orders of the most lines would be more than a service takes at once. */
const linesPerCall = 5_000;

/** Orders in groups of at most `linesPerCall` lines together. */
export function portionsOf<Wanted extends { productIds: readonly string[] }>(orders: readonly Wanted[]): Wanted[][] {
  const portions: Wanted[][] = [];
  let left = 0;
  for (const order of orders) {
    const lines = order.productIds.length;
    if (lines > left) {
      portions.push([]);
      left = linesPerCall;
    }
    portions.at(-1)?.push(order);
    left -= lines;
  }
  return portions;
}

function unfinishedBecause(
  saga: { status: string; lastError?: string } | undefined,
  unpublished: CommitDocument | undefined,
  order: Order,
): string | undefined {
  if (!saga) return 'has no saga';
  if (saga.status !== 'done') return `its saga is ${saga.status}${saga.lastError ? `: ${saga.lastError}` : ''}`;
  if (unpublished) return `version ${unpublished.version} is not published`;
  if (order.status === 'pending') return 'is pending, and its saga is done';
  return undefined;
}

async function readAgain(suspects: readonly AuditFinding[], commits: CommitModel): Promise<Stream[]> {
  const ids = [...new Set(suspects.map(one => one.id))];
  const read = async (orderId: string) => ({
    orderId,
    commits: await commits.find({ orderId }).sort({ version: 1 }).lean(),
  });
  return Promise.all(ids.map(read));
}
