import { otherNumbers } from './plurals.ts';
import { nearTerms, prefixRange, tolerance } from './spelling.ts';
import type { TextIndex } from './textIndex.ts';

/**
 * How a word of the search is looked for: `w` as a word (itself, another number, or the beginning of a word), `s` split
 * in two words, `1` or `2` with that many wrong letters, `x` not at all.
 */
export type Way = 'w' | 's' | '1' | '2' | 'x';

/** One term that stands for one word of the search, or joined for two. */
export interface Alternative {
  term: string;
  /** How well it stands for the word: 100 is the word itself. */
  value: number;
  exact: boolean;
  /** Bits of the words that it stands for. */
  words: number;
}

/** A search ready to run: for each word its alternatives, best first. */
export interface SearchPlan {
  /** The way of each word as it was typed; a cursor carries them, so that later pages search as the first did. */
  ways: string;
  words: readonly Alternative[][];
}

const value = { exact: 100, otherNumber: 95, joined: 95, prefix: 50, longestPrefix: 80, oneEdit: 60, twoEdits: 40 };

/** Whether `ways` is one that `planSearch` may have made for that many words. */
export function fitsWords(ways: string, count: number): boolean {
  return ways.length === count && /^[ws12x]*$/.test(ways);
}

/** Decides how each word is looked for (or takes the given ways) and finds the terms that stand for it. */
export function planSearch(index: TextIndex, typed: readonly string[], given?: string): SearchPlan {
  const ways = given ?? typed.map((_, at) => wayOf(index, typed, at)).join('');
  const words = typed.flatMap((word, at) => (ways[at] === 's' ? (splitWord(index, word) ?? []) : [word]));
  const wayOfWord = [...ways].flatMap((way, at) =>
    way === 's' ? (splitWord(index, typed[at]!) ?? []).map(() => 'w') : [way],
  );
  const found = words.map((word, at) => alternativesOf(index, word, wayOfWord[at] as Way));
  const kept = found.flatMap((alternatives, at) => (wayOfWord[at] === 'x' ? [] : [{ word: words[at]!, alternatives }]));
  return {
    ways,
    words: kept.map(({ word, alternatives }, at) => {
      const next = kept[at + 1]?.word;
      return [
        ...alternatives.map(one => ({ ...one, words: 1 << at })),
        ...(next === undefined ? [] : joinedOf(index, word + next, at)),
      ].sort((a, b) => b.value - a.value);
    }),
  };
}

type Found = Omit<Alternative, 'words'>;

function wayOf(index: TextIndex, typed: readonly string[], at: number): Way {
  const word = typed[at]!;
  if (wholeWords(index, word).length > 0 || longerTerms(index, word).some(index.has)) return 'w';
  const joined = [typed.slice(at - 1, at + 1), typed.slice(at, at + 2)].filter(pair => pair.length === 2);
  if (joined.some(pair => wholeWords(index, pair.join('')).length > 0)) return 'w';
  if (splitWord(index, word)) return 's';
  const limit = tolerance(word);
  if (limit === 0) return 'x';
  const edits = spelled(index, word, limit).map(one => one.edits);
  return edits.length === 0 ? 'x' : (String(Math.min(...edits)) as Way);
}

function alternativesOf(index: TextIndex, word: string, way: Way): Found[] {
  if (way === 'x') return [];
  if (way === 'w' || way === 's') return [...wholeWords(index, word), ...longerWords(index, word)];
  return spelled(index, word, Number(way)).map(({ term, edits }) => ({
    term,
    value: [value.exact, value.oneEdit, value.twoEdits][edits]!,
    exact: edits === 0,
  }));
}

function wholeWords(index: TextIndex, word: string): Found[] {
  const itself = index.has(word) ? [{ term: word, value: value.exact, exact: true }] : [];
  const others = otherNumbers(word).filter(other => index.has(other));
  return [...itself, ...others.map(term => ({ term, value: value.otherNumber, exact: false }))];
}

/** Most terms that a beginning may stand for; beyond that those that end in a digit, as skus do, are left out. */
const mostLonger = 2_000;

/** Terms that begin with a word and are longer. One or two digits begin too many skus to mean one. */
function longerTerms(index: TextIndex, word: string): readonly string[] {
  if (word.length < 3 && /\p{N}/u.test(word)) return [];
  const terms = index.terms();
  const [from, to] = prefixRange(terms, word);
  const all = terms.slice(from, to);
  return all.length <= mostLonger ? all : all.filter(term => !endsInDigit(term));
}

function endsInDigit(term: string): boolean {
  const last = term.charCodeAt(term.length - 1);
  return last >= 48 && last <= 57;
}

function longerWords(index: TextIndex, word: string): Found[] {
  const known = new Set([word, ...otherNumbers(word)]);
  const span = value.longestPrefix - value.prefix;
  return longerTerms(index, word)
    .filter(term => !known.has(term))
    .map(term => ({ term, value: Math.round(value.prefix + (span * word.length) / term.length), exact: false }));
}

/** Words of letters only: a misspelled sku would name another product. */
function spelled(index: TextIndex, word: string, limit: number): { term: string; edits: number }[] {
  return nearTerms(index.terms(), word, limit).filter(({ term }) => !/\p{N}/u.test(term) && index.has(term));
}

const shortestPart = 3;

/** The word as two known ones side by side: `lunchbox` as `lunch box`. */
function splitWord(index: TextIndex, word: string): [string, string] | undefined {
  for (let at = shortestPart; at <= word.length - shortestPart; at += 1) {
    const [first, second] = [word.slice(0, at), word.slice(at)];
    if (index.has(first) && wholeWords(index, second).length > 0) return [first, second];
  }
  return undefined;
}

/** Two words of the search written as one: `door mat` as `doormat`. */
function joinedOf(index: TextIndex, joined: string, at: number): Alternative[] {
  return wholeWords(index, joined).map(one => ({
    ...one,
    value: Math.min(one.value, value.joined),
    exact: false,
    words: 0b11 << at,
  }));
}
