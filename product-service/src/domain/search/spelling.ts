/** Wrong letters that a word of this length may have: short words are too near to each other. */
export function tolerance(word: string): number {
  if (word.length < 3 || /\p{N}/u.test(word)) return 0;
  return word.length < 5 ? 1 : 2;
}

/** The first place in sorted `terms` that is not less than `term`. */
export function lowerBound(terms: readonly string[], term: string): number {
  let [low, high] = [0, terms.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (terms[middle]! < term) low = middle + 1;
    else high = middle;
  }
  return low;
}

const afterAll = '\uffff';

/** Where the terms with a prefix begin and end in sorted `terms`. */
export function prefixRange(terms: readonly string[], prefix: string): [from: number, to: number] {
  return [lowerBound(terms, prefix), lowerBound(terms, prefix + afterAll)];
}

/**
 * Terms at most `limit` edits from the word: a letter too many, missing, wrong, or two swapped (optimal string alignment,
 * Boytsov 2011, doi:10.1145/1963190.1963191). Walks the sorted terms as a trie and leaves out whole branches
 * that cannot come near enough.
 * @param terms sorted by code unit
 */
export function nearTerms(terms: readonly string[], word: string, limit: number): { term: string; edits: number }[] {
  const found: { term: string; edits: number }[] = [];
  const rows: number[][] = [Array.from({ length: word.length + 1 }, (_, at) => at)];
  let previous = '';
  for (let at = 0; at < terms.length; ) {
    const term = terms[at]!;
    const depth = extend(rows, term, sharedLength(previous, term), word, limit);
    previous = term.slice(0, depth);
    if (depth < term.length) {
      at = Math.max(at + 1, lowerBound(terms, previous + afterAll));
      continue;
    }
    const edits = rows[depth]![word.length]!;
    if (edits <= limit) found.push({ term, edits });
    at += 1;
  }
  return found;
}

/** Adds rows for the letters of `term` after `from`; stops at the depth from which no ending can be near enough. */
function extend(rows: number[][], term: string, from: number, word: string, limit: number): number {
  for (let depth = from; depth < term.length; depth += 1) {
    const row = nextRow(rows, term, depth, word);
    rows[depth + 1] = row;
    if (Math.min(...row) > limit && Math.min(...rows[depth]!) >= limit) return depth + 1;
  }
  return term.length;
}

function nextRow(rows: readonly number[][], term: string, depth: number, word: string): number[] {
  const above = rows[depth]!;
  const row = [depth + 1];
  for (let at = 1; at <= word.length; at += 1) {
    const same = term[depth] === word[at - 1];
    let edits = Math.min(above[at]! + 1, row[at - 1]! + 1, above[at - 1]! + (same ? 0 : 1));
    if (depth > 0 && at > 1 && term[depth] === word[at - 2] && term[depth - 1] === word[at - 1]) {
      edits = Math.min(edits, rows[depth - 1]![at - 2]! + 1);
    }
    row.push(edits);
  }
  return row;
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}
