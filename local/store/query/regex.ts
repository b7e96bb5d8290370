import { BSONRegExp } from 'bson';
import { badValue, notSupported, StoreError } from '../errors.ts';
import type { Value } from '../values/value.ts';
import type { RegexTest } from './filter.ts';

/** Whether a value of a filter is a regular expression. */
export function isRegExp(v: Value | undefined): v is BSONRegExp {
  return v instanceof BSONRegExp;
}

/** The test for a regular expression given as a value. */
export function regexTest(source: BSONRegExp): RegexTest {
  return { op: 'regex', source, compiled: compileRegex(source.pattern, source.options) };
}

/** The test for `{ $regex, $options }`. */
export function regexTestOf(pattern: Value, options: Value | undefined): RegexTest {
  if (options !== undefined && typeof options !== 'string') throw badValue('$options has to be a string');
  if (isRegExp(pattern)) return regexTest(new BSONRegExp(pattern.pattern, options ?? pattern.options));
  if (typeof pattern !== 'string') throw badValue('$regex has to be a string');
  for (const flag of options ?? '') {
    if (!'imsxu'.includes(flag)) throw new StoreError(51108, ` invalid flag in regex options: ${flag}`);
  }
  return regexTest(new BSONRegExp(pattern, options ?? ''));
}

/**
 * The JS regular expression for a PCRE pattern of the server: always by code point; `.`, `$` and `\s` get PCRE's meaning.
 * What JS cannot express is refused (51091), as is the flag `x`.
 */
export function compileRegex(pattern: string, options: string): RegExp {
  if (options.includes('x')) throw notSupported('the regular expression option x');
  const inline = /^\(\?([ims]+)\)/.exec(pattern);
  const flags = new Set(`u${options}${inline?.[1] ?? ''}`.replace(/[^imsu]/g, ''));
  try {
    return new RegExp(translate(pattern.slice(inline?.[0].length ?? 0), flags), [...flags].join(''));
  } catch (error) {
    throw new StoreError(51091, `Regular expression is invalid: ${(error as Error).message}`);
  }
}

/** Identity escapes that the `u` flag of JS knows; others are written plainly. */
const SYNTAX = '^$\\.*+?()[]{}|/';
const SPACE = '\\t\\n\\v\\f\\r ';

function translate(pattern: string, flags: Set<string>): string {
  let out = '';
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') {
      out += escaped(pattern[++i] ?? '', inClass);
    } else if (inClass) {
      if (c === ']') inClass = false;
      out += c;
    } else {
      if (c === '[') {
        inClass = true;
        if (pattern[i + 1] === ']') throw new Error('a class may not start with ]');
      }
      out += plain(c, flags);
    }
  }
  return out;
}

function plain(c: string, flags: Set<string>): string {
  if (c === '.' && !flags.has('s')) return '[^\\n]';
  if (c === '$' && !flags.has('m')) return '(?=\\n?$)';
  return c;
}

function escaped(c: string, inClass: boolean): string {
  if (c === 's') return inClass ? SPACE : `[${SPACE}]`;
  if (c === 'S' && !inClass) return `[^${SPACE}]`;
  if (c === 'A' && !inClass) return '(?<![^])';
  if (c === 'z' && !inClass) return '(?![^])';
  if (c === '-') return inClass ? '\\-' : '-';
  return /[\p{L}\p{N}]/u.test(c) || SYNTAX.includes(c) ? `\\${c}` : c;
}
