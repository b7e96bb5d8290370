/** Products of one call that are worked on at once; their writes share round trips. */
const parallel = 50;

/**
 * Does the work for every item, some at once.
 * @returns the results in the order of the items
 * @throws what the first failing work threw, after those that had begun are over
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const rest = items.entries();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const [index, item] of rest) {
      if (failures.length > 0) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
