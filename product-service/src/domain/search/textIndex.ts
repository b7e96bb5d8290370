import { lowerBound } from './spelling.ts';
import { hyphenated, wordsOf } from './text.ts';

/** The texts of a product that are searched. */
export interface SearchedText {
  name: string;
  sku: string;
  description: string;
}

/** Where a term stands in a product; a name's terms say at which word, so that neighbours can be told. */
export const mark = { description: 0, skuPart: 1, wholeSku: 2, name: 16 } as const;
const lastMark = 255;

/** Slots fit 23 bits and marks 8, so that a place of a term is one integer: slot × 256 + mark. */
export const maxSlots = 1 << 23;

/** Places of a term by rising slot; those from `length` on are not in use. */
export interface Postings {
  list: Uint32Array;
  length: number;
}

/**
 * An inverted index: each term with the products (slots) that hold it. Slots are only ever appended; what changes gets a
 * new slot, and `compact` drops the old ones. Terms are kept sorted for prefixes and spelling.
 */
export interface TextIndex {
  /** Adds a product under a slot larger than all before. Returns the number of words in its name. */
  add(slot: number, text: SearchedText): number;
  /** Whether a living product holds the term. */
  has(term: string): boolean;
  /** Places of a term; a single one as it is, since most terms (skus) have no more. */
  postings(term: string): Postings | number | undefined;
  /** All terms, sorted by code unit; some may have no living product until the next `compact`. */
  terms(): readonly string[];
  /** Renumbers every slot, in the same order; those that become -1 are dropped. */
  compact(renumbered: Int32Array): void;
}

/** @param isAlive whether the product of a slot still counts */
export function createTextIndex(isAlive: (slot: number) => boolean): TextIndex {
  const places = new Map<string, Postings | number>();
  let sorted: string[] = [];
  let added: string[] = [];

  const put = (term: string, posting: number) => {
    const found = places.get(term);
    if (found === undefined) {
      places.set(term, posting);
      added.push(term);
    } else if (typeof found === 'number') {
      places.set(term, { list: Uint32Array.of(found, posting, 0, 0), length: 2 });
    } else {
      if (found.length === found.list.length) found.list = grown(found.list);
      found.list[found.length] = posting;
      found.length += 1;
    }
  };

  return {
    add(slot, text) {
      const { marks, nameLength } = marksOf(text);
      for (const [term, at] of marks) put(term, slot * 256 + at);
      return nameLength;
    },
    has(term) {
      const found = places.get(term);
      if (found === undefined) return false;
      if (typeof found === 'number') return isAlive(found >>> 8);
      for (let at = 0; at < found.length; at += 1) if (isAlive(found.list[at]! >>> 8)) return true;
      return false;
    },
    postings: term => places.get(term),
    terms() {
      if (added.length > 0) {
        sorted = merge(sorted, added.sort());
        added = [];
      }
      return sorted;
    },
    compact(renumbered) {
      for (const [term, found] of places) {
        const all = typeof found === 'number' ? Uint32Array.of(found) : found.list.subarray(0, found.length);
        const kept = all
          .filter(posting => renumbered[posting >>> 8]! >= 0)
          .map(posting => renumbered[posting >>> 8]! * 256 + (posting & 0xff));
        if (kept.length === 0) places.delete(term);
        else places.set(term, kept.length === 1 ? kept[0]! : { list: kept, length: kept.length });
      }
      sorted = [...places.keys()].sort();
      added = [];
    },
  };
}

function grown(list: Uint32Array): Uint32Array {
  const larger = new Uint32Array(Math.ceil(list.length * 1.5));
  larger.set(list);
  return larger;
}

/** Each term of a product with its best place: the name goes before the sku, the sku before the description. */
function marksOf(text: SearchedText): { marks: Map<string, number>; nameLength: number } {
  const marks = new Map<string, number>();
  for (const word of wordsOf(text.description)) marks.set(word, mark.description);
  const sku = wordsOf(text.sku);
  for (const part of sku) marks.set(part, mark.skuPart);
  const name = wordsOf(text.name);
  const position = (at: number) => Math.min(mark.name + at, lastMark);
  // Backwards, so that a repeated word keeps its first place.
  for (let at = name.length - 1; at >= 0; at -= 1) marks.set(name[at]!, position(at));
  for (const joined of hyphenated(text.name)) if (!marks.has(joined)) marks.set(joined, position(0));
  if (sku.length > 0) marks.set(sku.join(''), mark.wholeSku);
  return { marks, nameLength: name.length };
}

function merge(old: readonly string[], added: readonly string[]): string[] {
  if (added.length < 32) {
    const all = old.slice();
    for (const term of added) all.splice(lowerBound(all, term), 0, term);
    return all;
  }
  const all: string[] = [];
  let at = 0;
  for (const term of added) {
    while (at < old.length && old[at]! < term) all.push(old[at++]!);
    all.push(term);
  }
  while (at < old.length) all.push(old[at++]!);
  return all;
}
