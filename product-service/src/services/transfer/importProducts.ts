import type { ImportRow } from '../../domain/productFields.ts';
import { type ImportResult, type ImportType, maxNamed, type RejectedRow } from '../../domain/transfer.ts';
import type { WriteDependencies } from '../writeProduct.ts';
import { readLines, withIdleLimit } from './lines.ts';
import { type ReadRow, readCsv, readNdjson } from './rows.ts';
import { upsertBatch } from './upsert.ts';

/** Rows that go to the database together; a reader that is faster waits. */
const batchSize = 500;

/**
 * Takes in a file of products row by row, with never more than a batch in memory. Good rows stay when others are bad or
 * the file breaks off: running it again picks up where it ended, since rows that are there already change nothing.
 * @throws AppError `invalid_request` (header, UTF-16, broken off) · `request_timeout` · `service_unavailable`
 */
export async function importProducts(
  type: ImportType,
  source: AsyncIterable<Buffer>,
  idleMs: number,
  dependencies: WriteDependencies,
): Promise<ImportResult> {
  const lines = readLines(withIdleLimit(source, idleMs));
  const result = { created: 0, updated: 0, unchanged: 0 };
  const rejected: RejectedRow[] = [];
  let rejectedCount = 0;
  let batch = new Map<string, { line: number; row: ImportRow }>();
  const reject = (row: RejectedRow) => {
    rejectedCount += 1;
    if (rejected.length < maxNamed) rejected.push(row);
  };
  const flush = async () => {
    if (batch.size === 0) return;
    const rows = new Map([...batch].map(([sku, { row }]) => [sku, row]));
    const done = await upsertBatch(rows, dependencies);
    result.created += done.created;
    result.updated += done.updated;
    result.unchanged += done.unchanged;
    for (const { sku, errors } of done.rejected) reject({ line: batch.get(sku)!.line, sku, errors });
    batch = new Map();
  };

  const take = async (read: ReadRow) => {
    if (read.errors) {
      reject(read);
      return;
    }
    const { sku, parentSku } = read.row;
    // The same sku twice, or a variant beside its parent: the first must be there before the second is looked at.
    if (batch.has(sku) || (parentSku !== undefined && batch.has(parentSku))) await flush();
    batch.set(sku, { line: read.line, row: read.row });
    if (batch.size >= batchSize) await flush();
  };

  const rows = type === 'text/csv' ? readCsv(lines) : readNdjson(lines);
  for (;;) {
    // What came before the file broke off is kept.
    const next = await rows.next().catch(async error => {
      await flush();
      throw error;
    });
    if (next.done) break;
    await take(next.value);
  }
  await flush();
  rejected.sort((a, b) => a.line - b.line);
  return { ...result, rejected, ...(rejectedCount > rejected.length ? { rejectedCount } : {}) };
}
