import type { Clock } from '@tradepost/shared/clock';
import { tellsOnlyStock } from '../events/publishers.ts';
import type { StockDocument } from '../models/stock.ts';

/**
 * Stock documents as this process has just written or read them. An order reserves, pins and commits the same product within
 * milliseconds, so most reads can be spared. Using an outdated one does no harm: the write's filter then matches nothing
 * and the document is read.
 */
export interface RecentDocuments {
  has(productId: string): boolean;
  /** What was last known of the product, however old. */
  hint(productId: string): StockDocument | undefined;
  /** The document if it is fresh; it is no longer taken for fresh, so that a write that fails leads to a real read. */
  take(productId: string): StockDocument | undefined;
  put(document: StockDocument): void;
}

const maxDocuments = 2_000;
/** Shorter than the time after which movements are drained, which changes the document. */
const freshMs = 800;

export function createRecentDocuments(clock: Clock): RecentDocuments {
  const documents = new Map<string, { document: StockDocument; until: number }>();

  function fresh(productId: string): StockDocument | undefined {
    const entry = documents.get(productId);
    return entry && clock().getTime() < entry.until ? entry.document : undefined;
  }

  return {
    has: productId => fresh(productId) !== undefined,

    hint: productId => documents.get(productId)?.document,

    take(productId) {
      const document = fresh(productId);
      if (document) documents.set(productId, { document, until: 0 });
      return document;
    },
    put(document) {
      // What the relay publishes meanwhile is not seen here and would be written back.
      const until = tellsOnlyStock(document.outbox) ? clock().getTime() + freshMs : 0;
      documents.delete(document._id);
      documents.set(document._id, { document, until });
      const [oldest] = documents.keys();
      if (documents.size > maxDocuments && oldest !== undefined) documents.delete(oldest);
    },
  };
}
