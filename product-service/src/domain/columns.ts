import type { Entry } from './catalogueEntry.ts';
import { shelfOf } from './facets.ts';

/**
 * What lists look at in every product, by slot: plain numbers side by side, because to follow a reference to each of a
 * hundred thousand products costs a list most of its time.
 */
export interface Columns {
  /** Slots in use are smaller than this. */
  size: number;
  /** 1 for a slot whose product counts. */
  alive: Uint8Array;
  inStock: Uint8Array;
  /** Words in the name, at most 255. */
  nameLength: Uint8Array;
  /** Number of the category and step of the price, as `shelfOf` makes it. */
  shelf: Uint32Array;
  amount: Float64Array;
  /** 1 when the amount was another one lately. */
  repriced: Uint8Array;
  /** Milliseconds. */
  createdAt: Float64Array;
  /** The beginning of the name as a number that sorts as the name does. */
  nameBegin: Float64Array;
}

const firstSize = 1_024;

export const createColumns = (size = firstSize): Columns => ({
  size: 0,
  alive: new Uint8Array(size),
  inStock: new Uint8Array(size),
  nameLength: new Uint8Array(size),
  shelf: new Uint32Array(size),
  amount: new Float64Array(size),
  repriced: new Uint8Array(size),
  createdAt: new Float64Array(size),
  nameBegin: new Float64Array(size),
});

/** Puts an entry into its slot, which may be a new one at the end. */
export function putRow(columns: Columns, slot: number, entry: Entry): void {
  if (slot >= columns.alive.length) grow(columns);
  columns.size = Math.max(columns.size, slot + 1);
  columns.alive[slot] = 1;
  columns.inStock[slot] = entry.inStock ? 1 : 0;
  columns.shelf[slot] = shelfOf(entry.category.number, entry.amount);
  columns.amount[slot] = entry.amount;
  columns.repriced[slot] = entry.earlier ? 1 : 0;
  columns.createdAt[slot] = entry.createdAt;
  columns.nameBegin[slot] = beginOf(entry.sortName);
}

function grow(columns: Columns): void {
  const larger = createColumns(columns.alive.length * 2);
  for (const name of Object.keys(larger) as (keyof Columns)[]) {
    if (name === 'size') continue;
    larger[name].set(columns[name]);
    columns[name] = larger[name] as never;
  }
}

/** Three code units of a text as a number: exact in a double, and in the order of the texts. */
function beginOf(text: string): number {
  const unit = (at: number) => (at < text.length ? text.charCodeAt(at) + 1 : 0);
  return (unit(0) * 65_537 + unit(1)) * 65_537 + unit(2);
}
