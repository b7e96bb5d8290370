import { amountAt, type Chain, type Entry } from './catalogueEntry.ts';
import type { Columns } from './columns.ts';

export const sorts = ['newest', 'price', '-price', 'name', 'relevance'] as const;
export type Sort = (typeof sorts)[number];

export interface Filters {
  /** A category; those under it count too. */
  category?: string | undefined;
  /** Minor units, both ends included. */
  minPrice?: number | undefined;
  maxPrice?: number | undefined;
  inStock?: boolean | undefined;
  sku?: string | undefined;
  parentId?: string | undefined;
  attributes?: readonly (readonly [name: string, value: string])[] | undefined;
}

/** The last row of a page, after which the next one begins. */
export interface Place {
  /** What the rows are sorted by: the beginning of a text, then the text itself. */
  number: number;
  text: string;
  /** Of equal rows the newest comes first. Milliseconds. */
  createdAt: number;
  id: string;
}

/** The products, by slot. */
export interface Rows {
  columns: Columns;
  entries: readonly (Entry | undefined)[];
}

/** An order without ties: by number, then by text where there is one, then the newest first, then by id. */
export interface Order extends Rows {
  /** The number of each slot, or of those that `numberOf` does not decide. */
  numbers: Float64Array;
  /** 1 for each slot whose number comes from `numberOf`. */
  decided?: Uint8Array;
  numberOf(slot: number): number;
  /** -1 when the largest number comes first. */
  direction: 1 | -1;
  textOf?(slot: number): string;
}

/**
 * The order of a sort. A price order holds the prices of the moment at which paging began, so that a row whose price
 * changes meanwhile is neither skipped nor repeated.
 * @param found how well each slot fits the search, if there is one
 */
export function orderOf(sort: Sort, rows: Rows, moment: number, found?: { scores: Float64Array }): Order {
  const { columns, entries } = rows;
  const inColumn = (numbers: Float64Array) => ({ ...rows, numbers, numberOf: (slot: number) => numbers[slot]! });
  if (sort === 'relevance' && found) return { ...inColumn(found.scores), direction: -1 };
  if (sort === 'price' || sort === '-price') {
    return {
      ...inColumn(columns.amount),
      decided: columns.repriced,
      numberOf: slot => amountAt(entries[slot]!, moment),
      direction: sort === 'price' ? 1 : -1,
    };
  }
  if (sort === 'name') {
    return { ...inColumn(columns.nameBegin), direction: 1, textOf: slot => entries[slot]!.sortName };
  }
  return { ...inColumn(columns.createdAt), direction: -1 };
}

/** Negative when a slot, whose number is given, comes before a place; 0 when it is that place. */
function compare(order: Order, number: number, slot: number, place: Place): number {
  if (number !== place.number) return number < place.number ? -order.direction : order.direction;
  if (order.textOf) {
    const text = order.textOf(slot);
    if (text !== place.text) return text < place.text ? -1 : 1;
  }
  const createdAt = order.columns.createdAt[slot]!;
  if (createdAt !== place.createdAt) return createdAt > place.createdAt ? -1 : 1;
  const { id } = order.entries[slot]!;
  return id === place.id ? 0 : id > place.id ? -1 : 1;
}

/** Keeps the first `limit` slots of an order that come after a place, offered in any sequence. */
export function firstPlaces(order: Order, limit: number, after: Place | undefined) {
  const places: Place[] = [];
  const { numbers, decided } = order;
  const rising = order.direction === 1;
  // No slot with a number beyond this one can be among the first.
  let beyond = rising ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return {
    places: places as readonly Place[],
    offer(slot: number): void {
      const number = decided !== undefined && decided[slot] === 1 ? order.numberOf(slot) : numbers[slot]!;
      if (rising ? number > beyond : number < beyond) return;
      if (places.length === limit && compare(order, number, slot, places[limit - 1]!) > 0) return;
      if (after && compare(order, number, slot, after) <= 0) return;
      let at = places.length;
      while (at > 0 && compare(order, number, slot, places[at - 1]!) < 0) at -= 1;
      const text = order.textOf?.(slot) ?? '';
      places.splice(at, 0, { number, text, createdAt: order.columns.createdAt[slot]!, id: order.entries[slot]!.id });
      if (places.length > limit) places.pop();
      if (places.length === limit) beyond = places[limit - 1]!.number;
    },
  };
}

/** Which categories a filter lets through, by number; undefined lets all through. */
export function categoriesWithin(chains: readonly Chain[], category: string | undefined): Uint8Array | undefined {
  return category === undefined
    ? undefined
    : Uint8Array.from(chains, ({ chain }) => (chain.includes(category) ? 1 : 0));
}

/** The test for all filters but category and price (which the facets leave out in turn); undefined when there are none. */
export function othersOf(filters: Filters, { columns, entries }: Rows): ((slot: number) => boolean) | undefined {
  const { inStock, sku, parentId, attributes } = filters;
  const wanted = inStock === undefined ? undefined : inStock ? 1 : 0;
  const looksInside = sku !== undefined || parentId !== undefined || attributes !== undefined;
  if (wanted === undefined && !looksInside) return undefined;
  return slot => {
    if (wanted !== undefined && columns.inStock[slot] !== wanted) return false;
    if (!looksInside) return true;
    const entry = entries[slot]!;
    return (
      (sku === undefined || entry.sku === sku) &&
      (parentId === undefined || entry.parentId === parentId) &&
      (attributes?.every(([name, value]) => hasAttribute(entry, name, value)) ?? true)
    );
  };
}

function hasAttribute(entry: Entry, name: string, value: string): boolean {
  return Object.hasOwn(entry.attributes, name) && String(entry.attributes[name]).toLowerCase() === value.toLowerCase();
}
