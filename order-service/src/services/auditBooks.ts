import type { AuditedProducts } from '@tradepost/shared/contracts/inventory';
import type { AuditedPayment } from '@tradepost/shared/contracts/payments';
import type { AuditFinding } from '../domain/audit.ts';
import type { RecordedEvent } from '../domain/events.ts';
import { recorded } from '../events/eventStore.ts';
import type { CommitDocument, CommitModel } from '../models/commit.ts';
import type { AuditDependencies, Count } from './auditShop.ts';

/**
 * Goes through everything that names an order or a product, and so finds what a walk along the streams cannot: what is
 * there without an order. Each book is read before the stream that must precede it.
 */
export async function auditOthersBooks(
  dependencies: AuditDependencies,
  patienceMs: number,
  count: Count,
): Promise<AuditFinding[]> {
  const before = new Date(dependencies.clock().getTime() - patienceMs);
  return [
    ...(await auditSagas(dependencies, before)),
    ...(await auditViews(dependencies)),
    ...(await auditPayments(dependencies, before, count)),
    ...(await auditProvider(dependencies)),
    ...(await auditProducts(dependencies, count)),
  ];
}

/** Finds accepted orders that have no events, older than `before`. */
async function auditSagas({ sagas, commits }: AuditDependencies, before: Date): Promise<AuditFinding[]> {
  const findings: AuditFinding[] = [];
  const accepted = sagas.find({ status: { $ne: 'refused' }, createdAt: { $lt: before } }).select({ status: 1 });
  for await (const batch of inBatches(accepted.lean().cursor({ batchSize: 500 }), 500)) {
    const known = await knownOrders(
      commits,
      batch.map(saga => saga._id),
    );
    for (const { _id: id, status } of batch.filter(saga => !known.has(saga._id))) {
      if (status === 'done') findings.push({ check: 'versions', id, detail: 'has no events, and its saga is done' });
      else findings.push({ check: 'unfinished', id, detail: `its saga is ${status}, and it has no events` });
    }
  }
  return findings;
}

async function auditViews({ views, commits }: AuditDependencies): Promise<AuditFinding[]> {
  const findings: AuditFinding[] = [];
  for await (const batch of inBatches(views.find().select({ _id: 1 }).lean().cursor({ batchSize: 500 }), 500)) {
    const ids = batch.map(view => view._id);
    const known = await knownOrders(commits, ids);
    for (const id of ids.filter(one => !known.has(one)))
      findings.push({ check: 'view', id, detail: 'shows an order that is not there' });
  }
  return findings;
}

/** Finds payments without an order, answers owed since before `before`, and differences to the provider's books. */
async function auditPayments(
  { sources, commits }: AuditDependencies,
  before: Date,
  count: Count,
): Promise<AuditFinding[]> {
  const findings: AuditFinding[] = [];
  for await (const batch of inBatches(pages(sources.payments), 100)) {
    count('provider', batch.length);
    const known = await knownOrders(
      commits,
      batch.map(row => row.orderId),
    );
    for (const row of batch) {
      const { orderId: id, status, openSince } = row;
      if (!known.has(id))
        findings.push({ check: 'money', id, detail: `${status} payment of an order that is not there` });
      if (openSince === null) findings.push(...differences(row));
      else if (new Date(openSince) < before)
        findings.push({ check: 'unfinished', id, detail: `the provider has owed an answer since ${openSince}` });
    }
  }
  return findings;
}

/** Finds charges that only the provider knows of. */
async function auditProvider({ sources }: AuditDependencies): Promise<AuditFinding[]> {
  const findings: AuditFinding[] = [];
  for await (const row of pages(sources.provider)) if (row.status === 'none') findings.push(...differences(row));
  return findings;
}

function differences({ orderId: id, agrees, ours, provider }: AuditedPayment): AuditFinding[] {
  if (agrees) return [];
  const detail = `captured ${ours.captured} here and ${provider.captured} there, refunded ${ours.refunded} and ${provider.refunded}`;
  return [{ check: 'provider', id, detail }];
}

/** Finds stock that its movements do not add up to, and pinned holds that no order has reserved. */
async function auditProducts({ sources, commits }: AuditDependencies, count: Count): Promise<AuditFinding[]> {
  const findings: AuditFinding[] = [];
  for await (const batch of inBatches(pages(sources.products), 100)) {
    count('ledger', batch.length);
    for (const { productId: id, discrepancies } of batch)
      for (const { code, expected, actual } of discrepancies)
        findings.push({ check: 'ledger', id, detail: `${code} is ${actual}, not ${expected}` });
    const pinned = batch.flatMap(({ productId, holds }) =>
      holds.filter(hold => hold.pinned).map(hold => ({ productId, ...hold })),
    );
    const reserved = await reservedHolds(commits, pinned);
    for (const { id: holdId, orderId, productId } of pinned.filter(hold => !reserved.has(hold.id)))
      findings.push({
        check: 'holds',
        id: orderId,
        detail: `hold ${holdId} on ${productId} is pinned and not reserved`,
      });
  }
  return findings;
}

/** Ids of the holds that the streams of these orders have recorded. */
async function reservedHolds(
  commits: CommitModel,
  holds: readonly Pick<AuditedProducts['items'][number]['holds'][number], 'orderId'>[],
): Promise<Set<string>> {
  const orderIds = [...new Set(holds.map(hold => hold.orderId))];
  const found = await commits.find({ orderId: { $in: orderIds }, 'events.type': 'StockReserved' }).lean();
  const events = found.flatMap(readable);
  return new Set(
    events.flatMap(event => (event.type === 'StockReserved' ? event.data.holds.map(hold => hold.holdId) : [])),
  );
}

/** The events of a commit; none when a newer version wrote it, which is a finding about versions already. */
function readable(commit: CommitDocument): RecordedEvent[] {
  try {
    return recorded(commit);
  } catch {
    return [];
  }
}

const knownOrders = async (commits: CommitModel, ids: readonly string[]): Promise<Set<string>> =>
  new Set(await commits.distinct('orderId', { orderId: { $in: ids } }));

async function* pages<T>(
  page: (cursor?: string) => Promise<{ items: T[]; nextCursor: string | null }>,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const { items, nextCursor } = await page(cursor);
    yield* items;
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** Rows in groups of `size`, the last one smaller. */
export async function* inBatches<T>(rows: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
