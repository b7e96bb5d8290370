import { categoryChain } from './category.ts';
import type { Product } from './product.ts';
import { fold } from './search/text.ts';

/** What the catalogue must know of a product to find, sort and count it. */
export type CatalogueRecord = Pick<
  Product,
  | '_id'
  | 'sku'
  | 'name'
  | 'description'
  | 'category'
  | 'price'
  | 'attributes'
  | 'status'
  | 'availability'
  | 'stock'
  | 'parentId'
  | 'version'
  | 'createdAt'
>;

/** The fields of a CatalogueRecord, for a projection. */
export const recordFields =
  '_id sku name description category price attributes status availability stock parentId version createdAt'.split(' ');

/** Where a product stands, and what is known of it; -1 as slot for one that is archived. */
export interface Known {
  slot: number;
  version: number;
  stockVersion: number;
}

/** A product in the catalogue. */
export interface Entry extends Known {
  id: string;
  sku: string;
  name: string;
  /** The beginning of the name without case and accents, by which names sort. */
  sortName: string;
  category: Chain;
  amount: number;
  /** Earlier amounts, each with the moment until which it held; oldest first. */
  earlier?: { amount: number; until: number }[];
  inStock: boolean;
  attributes: Product['attributes'];
  parentId: string | null;
  /** Milliseconds. */
  createdAt: number;
}

/** A category with all that it lies in, one object for all its products; its number counts from 0. */
export interface Chain {
  chain: readonly string[];
  number: number;
}

/** Letters by which names sort; cursors carry them, so there must be an end. */
const sortedLength = 64;

/** How long a price is remembered for pages that were begun under it, in milliseconds. */
export const pricesKeptMs = 3_600_000;

/**
 * Builds or refreshes the entry of a product.
 * @param slot where it will stand
 * @param now moment of the change
 */
export function entryOf(
  record: CatalogueRecord,
  old: Entry | undefined,
  chainOf: (category: string | null) => Chain,
  slot: number,
  now: number,
): Entry {
  const changed = old && old.amount !== record.price.amount ? [{ amount: old.amount, until: now }] : [];
  const earlier = [...(old?.earlier ?? []).filter(one => one.until > now - pricesKeptMs), ...changed];
  return {
    slot,
    id: record._id,
    sku: record.sku,
    name: record.name,
    sortName: old?.name === record.name ? old.sortName : fold(record.name).slice(0, sortedLength),
    category: chainOf(record.category),
    amount: record.price.amount,
    ...(earlier.length > 0 ? { earlier } : {}),
    inStock: record.availability !== 'out_of_stock',
    attributes: record.attributes,
    parentId: record.parentId,
    version: record.version,
    stockVersion: record.stock.version,
    createdAt: record.createdAt.getTime(),
  };
}

/** The amount that held at a moment; for a product that is younger, its first. */
export function amountAt(entry: Entry, moment: number): number {
  if (!entry.earlier) return entry.amount;
  return entry.earlier.find(one => one.until > moment)?.amount ?? entry.amount;
}

/** Numbers the categories as they come; the list grows with them. */
export function createChains(): { chains: readonly Chain[]; chainOf(category: string | null): Chain } {
  const byCategory = new Map<string | null, Chain>();
  const chains: Chain[] = [];
  return {
    chains,
    chainOf(category) {
      const known = byCategory.get(category);
      if (known) return known;
      const made = { chain: categoryChain(category), number: chains.length };
      chains.push(made);
      byCategory.set(category, made);
      return made;
    },
  };
}
