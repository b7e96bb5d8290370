import { walkPath } from '../values/path.ts';
import type { Doc, Value } from '../values/value.ts';

/** The values a path has in a document, each element of an array for itself. */
export function pathValues(doc: Doc, parts: readonly string[]): Value[] {
  const values: Value[] = [];
  walkPath(doc, parts, false, value => {
    if (Array.isArray(value)) values.push(...value);
    else if (value !== undefined) values.push(value);
    return false;
  });
  return values;
}
