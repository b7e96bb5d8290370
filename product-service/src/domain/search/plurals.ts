const irregular: readonly (readonly [string, string])[] = [
  ['child', 'children'],
  ['foot', 'feet'],
  ['goose', 'geese'],
  ['man', 'men'],
  ['mouse', 'mice'],
  ['tooth', 'teeth'],
  ['woman', 'women'],
];

/**
 * Other numbers of an English noun: singulars that a plural may come from and plurals of a singular. Some are no words
 * at all (`shoes` → `sho`); the vocabulary decides.
 */
export function otherNumbers(word: string): string[] {
  if (word.length < 3) return [];
  const found = new Set<string>([`${word}s`]);
  if (/(s|x|z|ch|sh|o)$/.test(word)) found.add(`${word}es`);
  if (/[^aeiou]y$/.test(word)) found.add(`${word.slice(0, -1)}ies`);
  if (/(f|fe)$/.test(word)) found.add(`${word.replace(/fe?$/, '')}ves`);
  if (/[^s]s$/.test(word)) found.add(word.slice(0, -1));
  if (/es$/.test(word)) found.add(word.slice(0, -2));
  if (/ies$/.test(word)) found.add(`${word.slice(0, -3)}y`);
  if (/ves$/.test(word)) {
    found.add(`${word.slice(0, -3)}f`);
    found.add(`${word.slice(0, -3)}fe`);
  }
  for (const [one, many] of irregular) {
    if (word === one) found.add(many);
    if (word === many) found.add(one);
  }
  found.delete(word);
  return [...found].filter(other => other.length > 1);
}
