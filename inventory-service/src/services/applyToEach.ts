import type { StockCommand } from '../domain/commands.ts';
import { inParallel } from './inParallel.ts';
import type { StockWriter } from './stockWriter.ts';

/** Products whose stock is read by one query and written by one. */
const chunkSize = 50;

/**
 * Applies a command to the product of each item, many at once.
 * @returns the outcomes in the order of the items, undefined for products without stock
 * @throws what the first failing command threw, after those that had begun are over
 */
export async function applyToEach<Item extends { productId: string }, Outcome>(
  writer: StockWriter,
  items: readonly Item[],
  commandOf: (item: Item) => StockCommand<Outcome>,
): Promise<(Outcome | undefined)[]> {
  const outcomes: (Outcome | undefined)[] = [];
  for (let start = 0; start < items.length; start += chunkSize) {
    const chunk = items.slice(start, start + chunkSize);
    await writer.load(chunk.map(({ productId }) => productId));
    outcomes.push(...(await inParallel(chunk, item => writer.apply(item.productId, commandOf(item)))));
  }
  return outcomes;
}
