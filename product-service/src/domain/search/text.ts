const maxTermLength = 64;
const ascii = /^[\u0020-\u007e]*$/;

/** Lower case without accents or width, so that `Nîle` equals `nile`. */
export function fold(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/æ/g, 'ae')
    .replace(/œ/g, 'oe')
    .replace(/ø/g, 'o')
    .replace(/ł/g, 'l');
}

/** The words of a text in their order: runs of letters and digits, with apostrophes left out (`children's`). */
export function wordsOf(text: string): string[] {
  const words = fold(text)
    .replace(/['’]/g, '')
    .match(/[\p{L}\p{N}]+/gu);
  return words?.map(word => word.slice(0, maxTermLength)) ?? [];
}

/** Words joined by a hyphen as one, with the place of the first: `t-light` is also found as `tlight`. */
export function hyphenated(text: string): string[] {
  const joined = fold(text)
    .replace(/['’]/g, '')
    .match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)+/gu);
  return joined?.map(word => word.replaceAll('-', '').slice(0, maxTermLength)) ?? [];
}

const stopWords = new Set('a an and at by for from in my of on or some that the this to with'.split(' '));

/** The words that a search looks for: without little words, unless there are no others. At most `limit`, each once. */
export function searchWords(search: string, limit: number): string[] {
  const words = [...new Set(wordsOf(search))];
  const telling = words.filter(word => !stopWords.has(word));
  return (telling.length > 0 ? telling : words).slice(0, limit);
}
