import { readFileSync } from 'node:fs';

/** Some thousand passwords of at least ten characters that everybody tries first, in lower case. */
export function readCommonPasswords(): ReadonlySet<string> {
  const words = readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8');
  return new Set(words.split(/\s+/).filter(Boolean));
}
