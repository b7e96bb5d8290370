import type { SearchPlan } from './plan.ts';
import { mark, type TextIndex } from './textIndex.ts';

/** The slots that a search found and, by slot, how well each fits: a whole number that depends on the product alone. */
export interface Ranking {
  /** Words that each slot must hold. */
  required: number;
  /** Good until the next search, as the scores are. */
  slots: Uint32Array;
  scores: Float64Array;
}

/** What a place is worth, in percent of the term's value. */
const worth = { name: 100, wholeSku: 1_000, skuPart: 80, description: 30 };
/** For a word that follows the one before it in the name as it does in the search. */
const neighbourBonus = 15;
/** Shared out by how much of the name the search names. */
const coverageBonus = 40;
/** One word more counts for more than anything else. */
const perWord = 10_000;

export interface RankOptions {
  /** Slots in use are smaller than this. */
  size: number;
  /** 1 for each slot whose product counts. */
  alive: Uint8Array;
  /** Words in the name of each slot's product. */
  nameLength: Uint8Array;
  /** From a cursor; otherwise as many words as any product holds, if that is at least half of them. */
  required?: number;
}

export type Ranker = (index: TextIndex, plan: SearchPlan, options: RankOptions) => Ranking;

/**
 * Makes a ranker, which scores the products that hold the words of a search. Nothing in a score depends on other
 * products, so that pages stay stable while products come and go (which rules out weights by how rare a word is).
 *
 * One search may touch a good part of all products, so it works on plain arrays by slot that are kept for the next one,
 * and wipes only what it touched: most searches touch little.
 */
export function createRanker(): Ranker {
  let marks = marksFor(1_024);

  return (index, plan, options) => {
    if (options.size > marks.held.length) marks = marksFor(options.size * 2);
    const { held, score, nameWords, scores } = marks;
    const touched = holdWords(index, plan, marks);
    const words = plan.words.length;
    const required = options.required ?? wordsToHold(marks, touched, words, options.alive);
    let found = 0;
    for (let at = 0; at < touched; at += 1) {
      const slot = marks.slots[at]!;
      if (options.alive[slot] === 1 && bits(held[slot]!) >= required) marks.slots[found++] = slot;
      else held[slot] = 0;
    }
    const slots = marks.slots.subarray(0, found);
    scoreWords(index, plan, marks, slots);
    for (let at = 0; at < found; at += 1) {
      const slot = slots[at]!;
      const length = options.nameLength[slot]!;
      const covered = length === 0 ? 0 : Math.min(1, nameWords[slot]! / length);
      scores[slot] = bits(held[slot]!) * perWord + score[slot]! + Math.round(coverageBonus * covered);
      clear(marks, slot);
    }
    return { required, slots, scores };
  };
}

type Marks = ReturnType<typeof marksFor>;

function marksFor(size: number) {
  return {
    /** Bits of the words that the product holds. */
    held: new Uint32Array(size),
    score: new Int32Array(size),
    /** Gain of the word that is being looked at, and which word that is (from 1). */
    gain: new Int32Array(size),
    gainOf: new Uint8Array(size),
    /** Words of the search in the name. */
    nameWords: new Uint8Array(size),
    /** Place in the name (from 1) of the word before, and of this one. */
    before: new Uint8Array(size),
    here: new Uint8Array(size),
    /** What was touched, then what of it was found. */
    slots: new Uint32Array(size),
    scores: new Float64Array(size),
  };
}

function clear({ held, score, gainOf, nameWords, before, here }: Marks, slot: number): void {
  held[slot] = 0;
  score[slot] = 0;
  gainOf[slot] = 0;
  nameWords[slot] = 0;
  before[slot] = 0;
  here[slot] = 0;
}

/** Notes which words each slot holds, and which slots hold any. @returns how many those are */
function holdWords(index: TextIndex, plan: SearchPlan, { held, slots }: Marks): number {
  let touched = 0;
  const hold = (slot: number, words: number) => {
    if (held[slot] === 0) slots[touched++] = slot;
    held[slot]! |= words;
  };
  for (const alternatives of plan.words) {
    for (const { term, words } of alternatives) {
      const found = index.postings(term);
      if (found === undefined) continue;
      if (typeof found === 'number') hold(found >>> 8, words);
      else for (let at = 0; at < found.length; at += 1) hold(found.list[at]! >>> 8, words);
    }
  }
  return touched;
}

function scoreWords(index: TextIndex, plan: SearchPlan, marks: Marks, slots: Uint32Array): void {
  const { held, score, gain, gainOf, nameWords } = marks;
  let { before, here } = marks;
  const one = new Uint32Array(1);
  plan.words.forEach((alternatives, word) => {
    for (const { term, value, exact, words } of alternatives) {
      const times = words === 1 << word ? 1 : 2;
      const inName = times * value;
      const inSku = Math.round((inName * (exact ? worth.wholeSku : worth.skuPart)) / worth.name);
      const inSkuPart = Math.round((inName * worth.skuPart) / worth.name);
      const inDescription = Math.round((inName * worth.description) / worth.name);
      const found = index.postings(term) ?? 0;
      if (typeof found === 'number') one[0] = found;
      const [list, length] = typeof found === 'number' ? [one, 1] : [found.list, found.length];
      for (let at = 0; at < length; at += 1) {
        const slot = list[at]! >>> 8;
        if (held[slot] === 0) continue;
        const place = list[at]! & 0xff;
        let now = place === mark.wholeSku ? inSku : place === mark.skuPart ? inSkuPart : inDescription;
        if (place >= mark.name) {
          const position = place - mark.name + 1;
          now = position > 1 && before[slot] === position - 1 ? inName + neighbourBonus : inName;
          if (here[slot] === 0) {
            here[slot] = position;
            nameWords[slot]! += times;
          }
        }
        const old = gainOf[slot] === word + 1 ? gain[slot]! : 0;
        if (now <= old) continue;
        gainOf[slot] = word + 1;
        gain[slot] = now;
        score[slot]! += now - old;
      }
    }
    [before, here] = [here, before];
    for (let at = 0; at < slots.length; at += 1) here[slots[at]!] = 0;
  });
}

function wordsToHold({ held, slots }: Marks, touched: number, words: number, alive: Uint8Array): number {
  let most = 0;
  for (let at = 0; at < touched && most < words; at += 1) {
    const slot = slots[at]!;
    if (alive[slot] === 1 && bits(held[slot]!) > most) most = bits(held[slot]!);
  }
  return Math.max(most, Math.ceil(words / 2), 1);
}

function bits(mask: number): number {
  let [left, count] = [mask, 0];
  for (; left !== 0; left &= left - 1) count += 1;
  return count;
}
