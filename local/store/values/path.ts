import { type Doc, fieldOf, isDoc, type Value } from './value.ts';

/** Position in an array as a path component: digits without a leading zero. */
export function isIndex(part: string): boolean {
  const c = part.charCodeAt(0);
  return c >= 48 && c <= 57 && /^(0|[1-9]\d{0,8})$/.test(part);
}

/**
 * Called with every value a path reaches, undefined for a missing one, and the position in the outermost array that was
 * walked through, if any. Returning true ends the walk.
 */
export type Visit = (value: Value | undefined, position: string | undefined) => boolean;

/**
 * Walks a dotted path as MongoDB's filters do: through every element of the arrays on the way (and into a position when
 * the next component is a number). With `expandLeaf`, an array at the end yields its elements first, then itself.
 * Returns whether a visit ended the walk.
 */
export function walkPath(doc: Doc, parts: readonly string[], expandLeaf: boolean, visit: Visit): boolean {
  return walk(doc, parts, 0, expandLeaf, visit, undefined);
}

function walk(
  doc: Doc,
  parts: readonly string[],
  from: number,
  expandLeaf: boolean,
  visit: Visit,
  position: string | undefined,
): boolean {
  let value: Value | undefined = doc;
  for (let i = from; i < parts.length; i++) {
    if (Array.isArray(value)) return walkArray(value, parts, i, expandLeaf, visit, position);
    if (!isDoc(value)) return visit(undefined, position);
    value = fieldOf(value, parts[i]!);
  }
  return visitLeaf(value, expandLeaf, visit, position);
}

function visitLeaf(value: Value | undefined, expandLeaf: boolean, visit: Visit, position: string | undefined): boolean {
  if (expandLeaf && Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (visit(value[i], position ?? String(i))) return true;
  }
  return visit(value, position);
}

function walkArray(
  array: Value[],
  parts: readonly string[],
  at: number,
  expandLeaf: boolean,
  visit: Visit,
  position: string | undefined,
): boolean {
  const index = isIndex(parts[at]!) ? Number(parts[at]) : -1;
  for (let i = 0; i < array.length; i++) {
    const element = array[i]!;
    const here = position ?? String(i);
    if (isDoc(element) && walk(element, parts, at, expandLeaf, visit, here)) return true;
    if (i !== index) continue;
    if (at === parts.length - 1) {
      // A position at the end means that element only, also when it is an array.
      if (visit(element, here)) return true;
    } else if (Array.isArray(element)) {
      if (walkArray(element, parts, at + 1, expandLeaf, visit, here)) return true;
    } else if (isDoc(element) && walk(element, parts, at + 1, expandLeaf, visit, here)) return true;
  }
  return false;
}
