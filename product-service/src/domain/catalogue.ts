import { type CatalogueRecord, createChains, type Entry, entryOf, type Known } from './catalogueEntry.ts';
import {
  categoriesWithin,
  type Filters,
  firstPlaces,
  orderOf,
  othersOf,
  type Place,
  type Sort,
} from './catalogueQuery.ts';
import type { CategoryCount } from './category.ts';
import { createColumns, putRow } from './columns.ts';
import { categoryOf, createFacets, type Facets } from './facets.ts';
import { fitsWords, planSearch } from './search/plan.ts';
import { createRanker } from './search/rank.ts';
import { fold, searchWords } from './search/text.ts';
import { createTextIndex, maxSlots } from './search/textIndex.ts';

/** Most words of a search that are looked for; the rest is left out. */
export const maxWords = 10;

/** What a page carries to the next: all that must not change between them. */
export interface Paging {
  /** When paging began, in milliseconds. */
  moment: number;
  /** How each word is looked for; empty without a search. */
  ways: string;
  /** Words of the search that a product must hold. */
  required: number;
  after: Place;
}

export interface CatalogueQuery {
  search?: string | undefined;
  filters: Filters;
  sort: Sort;
  limit: number;
  paging?: Paging | undefined;
  /** Whether a search counts facets, as it does unless told otherwise. */
  facets?: boolean;
}

export interface CataloguePage {
  ids: string[];
  /** Undefined on the last page. */
  next: Paging | undefined;
  /** Of a search. */
  facets: Facets | undefined;
}

/**
 * All active products in memory: searched, filtered, sorted and counted without the database, in the same way whatever
 * the database is.
 */
export interface Catalogue {
  /** Takes products as they now are; what is older than what is known changes nothing. */
  apply(records: readonly CatalogueRecord[]): void;
  /** @throws RangeError when `paging` cannot belong to the query */
  find(query: CatalogueQuery): CataloguePage;
  /** Names that fit what was typed so far, best first, each once. */
  suggest(typed: string, limit: number): { id: string; name: string }[];
  /** Categories with the number of their products, sorted by name. */
  categories(): CategoryCount[];
  /** Versions that are known of a product, archived ones too. */
  versionOf(id: string): { version: number; stockVersion: number } | undefined;
  /** Number of active products. */
  size(): number;
}

/** @param now moment in milliseconds, must never repeat or go back (see `createMoments`) */
export function createCatalogue(now: () => number): Catalogue {
  const known = new Map<string, Known | Entry>();
  const counts = new Map<string, number>();
  const { chains, chainOf } = createChains();
  const rank = createRanker();
  let columns = createColumns();
  let entries: (Entry | undefined)[] = [];
  let active = 0;
  const text = createTextIndex(slot => columns.alive[slot] === 1);

  const count = (entry: Entry, by: 1 | -1) => {
    active += by;
    const category = entry.category.chain.at(-1);
    if (category === undefined) return;
    const left = (counts.get(category) ?? 0) + by;
    if (left > 0) counts.set(category, left);
    else counts.delete(category);
  };

  const apply = (record: CatalogueRecord) => {
    const { _id: id, version } = record;
    const old = known.get(id);
    const stockVersion = record.stock.version;
    const isNews = !old || version > old.version || (version === old.version && stockVersion > old.stockVersion);
    if (!isNews) return;
    const before = old && old.slot >= 0 ? entries[old.slot] : undefined;
    if (before) count(before, -1);
    // Stock moves often and changes no text: the product keeps its slot.
    const stays = before !== undefined && version === before.version && record.status === 'active';
    if (before && !stays) {
      entries[before.slot] = undefined;
      columns.alive[before.slot] = 0;
    }
    if (record.status === 'archived') {
      known.set(id, { version, stockVersion, slot: -1 });
      return;
    }
    const slot = stays ? before.slot : entries.length;
    const entry = entryOf(record, before, chainOf, slot, now());
    entries[slot] = entry;
    known.set(id, entry);
    putRow(columns, slot, entry);
    if (!stays) columns.nameLength[slot] = Math.min(255, text.add(slot, record));
    count(entry, 1);
  };

  const compactIfSparse = () => {
    const dead = entries.length - active;
    if (dead <= Math.max(1_000, active / 2) && entries.length < maxSlots) return;
    const renumbered = new Int32Array(entries.length).fill(-1);
    const tidied = createColumns(Math.max(1_024, active * 2));
    const living = entries.filter(entry => entry !== undefined);
    living.forEach((entry, slot) => {
      renumbered[entry.slot] = slot;
      putRow(tidied, slot, entry);
      tidied.nameLength[slot] = columns.nameLength[entry.slot]!;
      entry.slot = slot;
    });
    text.compact(renumbered);
    [columns, entries] = [tidied, living];
  };

  const search = (sought: string, paging: Paging | undefined) => {
    const words = searchWords(sought, maxWords);
    if (paging && !fitsWords(paging.ways, words.length)) throw new RangeError('the cursor belongs to another search');
    const plan = planSearch(text, words, paging?.ways);
    const required = paging ? { required: paging.required } : {};
    return { ...rank(text, plan, { ...columns, ...required }), ways: plan.ways };
  };

  const find = (query: CatalogueQuery): CataloguePage => {
    const { search: sought, filters, sort, limit, paging, facets: counted = true } = query;
    const found = sought === undefined ? undefined : search(sought, paging);
    const moment = paging?.moment ?? now();
    const rows = { columns, entries };
    const page = firstPlaces(orderOf(sort, rows, moment, found), limit + 1, paging?.after);
    const facets = found && counted ? createFacets(chains) : undefined;
    const fitsOthers = othersOf(filters, rows);
    const within = categoriesWithin(chains, filters.category);
    const { minPrice = 0, maxPrice = Number.POSITIVE_INFINITY } = filters;
    const isPriced = filters.minPrice !== undefined || filters.maxPrice !== undefined;
    const { alive, shelf, amount } = columns;
    const slots = found?.slots;
    // From the end, where the newest are: most of the older ones are then refused by one comparison.
    for (let at = (slots?.length ?? columns.size) - 1; at >= 0; at -= 1) {
      const slot = slots ? slots[at]! : at;
      if (alive[slot] === 0 || (fitsOthers && !fitsOthers(slot))) continue;
      const inCategory = within === undefined || within[categoryOf(shelf[slot]!)] === 1;
      const inRange = !isPriced || (amount[slot]! >= minPrice && amount[slot]! <= maxPrice);
      if (facets && inRange) facets.countCategory(shelf[slot]!);
      if (facets && inCategory) facets.countPrice(shelf[slot]!);
      if (inCategory && inRange) page.offer(slot);
    }
    const places = page.places.slice(0, limit);
    const after = page.places.length > limit ? places.at(-1) : undefined;
    return {
      ids: places.map(place => place.id),
      next: after && { moment, ways: found?.ways ?? '', required: found?.required ?? 0, after },
      facets: facets?.result(),
    };
  };

  return {
    apply(records) {
      for (const record of records) {
        apply(record);
        compactIfSparse();
      }
    },

    find,

    suggest(typed, limit) {
      const { ids } = find({ search: typed, filters: {}, sort: 'relevance', limit: limit * 5, facets: false });
      const names = new Map<string, { id: string; name: string }>();
      for (const id of ids) {
        const { name } = entries[known.get(id)!.slot]!;
        if (!names.has(fold(name))) names.set(fold(name), { id, name });
      }
      return [...names.values()].slice(0, limit);
    },

    categories: () =>
      [...counts]
        .map(([category, number]) => ({ category, count: number }))
        .sort((a, b) => (a.category < b.category ? -1 : 1)),

    versionOf(id) {
      const one = known.get(id);
      return one && { version: one.version, stockVersion: one.stockVersion };
    },

    size: () => active,
  };
}

/** Moments in milliseconds that never repeat and never go back, however coarse the clock is. */
export function createMoments(clock: () => Date): () => number {
  let last = 0;
  return () => {
    last = Math.max(clock().getTime(), last + 0.001);
    return last;
  };
}
