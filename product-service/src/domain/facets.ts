import type { Chain } from './catalogueEntry.ts';
import type { CategoryCount } from './category.ts';

/** Products from `min` to below `max` minor units (no upper end when null). */
export interface PriceCount {
  min: number;
  max: number | null;
  count: number;
}

/** How the found products are spread; each facet leaves its own filter out, so that others can be chosen. */
export interface Facets {
  categories: CategoryCount[];
  prices: PriceCount[];
}

/** Where price facets begin, in minor units. */
const steps = [0, 500, 1_000, 2_500, 5_000, 10_000, 50_000] as const;
const mostCategories = 100;
const [stepBits, stepMask] = [3, 0b111];

/** What facets count of a product as one number, since a search may find a good part of all products. */
export function shelfOf(category: number, amount: number): number {
  let step = steps.length - 1;
  while (step > 0 && amount < steps[step]!) step -= 1;
  return (category << stepBits) | step;
}

/** The number of the category that a shelf belongs to. */
export const categoryOf = (shelf: number): number => shelf >>> stepBits;

/** @param chains the categories by number */
export function createFacets(chains: readonly Chain[]) {
  const byNumber = new Uint32Array(chains.length);
  const prices = new Uint32Array(steps.length);
  return {
    countCategory(shelf: number): void {
      byNumber[shelf >>> stepBits]! += 1;
    },
    countPrice(shelf: number): void {
      prices[shelf & stepMask]! += 1;
    },
    /** Categories by falling count, price ranges by rising price; empty ones left out. */
    result(): Facets {
      const categories = new Map<string, number>();
      byNumber.forEach((count, number) => {
        if (count === 0) return;
        for (const one of chains[number]!.chain) categories.set(one, (categories.get(one) ?? 0) + count);
      });
      return {
        categories: [...categories]
          .map(([category, count]) => ({ category, count }))
          .sort((a, b) => b.count - a.count || (a.category < b.category ? -1 : 1))
          .slice(0, mostCategories),
        prices: steps
          .map((min, at) => ({ min, max: steps[at + 1] ?? null, count: prices[at]! }))
          .filter(range => range.count > 0),
      };
    },
  };
}
