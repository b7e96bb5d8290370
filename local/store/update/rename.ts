import { badValue, CODE, StoreError } from '../errors.ts';
import { isIndex } from '../values/path.ts';
import { show } from '../values/show.ts';
import { type Doc, fieldOf, isDoc, type Value } from '../values/value.ts';
import type { Leaf } from './leaf.ts';

/** Moves a field by applying two other leaves; neither of its paths may lead through an array. */
export function rename(doc: Doc, leaf: Leaf, apply: (leaf: Leaf) => void): void {
  const target = leaf.target!;
  const value = sourceValue(doc, leaf);
  if (value === undefined) return;
  const array = arrayOnPath(doc, target.parts);
  if (array !== undefined) throw elementRefused('destination', target.path, doc, array);
  apply({ ...target, creates: true, apply: () => value });
  apply({ path: leaf.path, parts: leaf.parts, creates: false, apply: () => undefined });
}

function sourceValue(doc: Doc, { path, parts }: Leaf): Value | undefined {
  let value: Value | undefined = doc;
  for (const [i, part] of parts.entries()) {
    if (value === undefined) return undefined;
    if (isDoc(value)) value = fieldOf(value, part);
    else if (Array.isArray(value) && isIndex(part)) value = value[Number(part)];
    else {
      throw new StoreError(
        CODE.PathNotViable,
        `cannot use the part (${parts[i - 1]} of ${path}) to traverse the element ({${parts[i - 1]}: ${show(value)}})`,
      );
    }
  }
  const array = value === undefined ? undefined : arrayOnPath(doc, parts);
  if (array !== undefined) throw elementRefused('source', path, doc, array);
  return value;
}

/** The name of the first array that a path goes through, if any. */
function arrayOnPath(doc: Doc, parts: readonly string[]): string | undefined {
  let value: Value | undefined = doc;
  for (const [i, part] of parts.entries()) {
    if (Array.isArray(value)) return parts[i - 1];
    if (!isDoc(value)) return undefined;
    value = fieldOf(value, part);
  }
  return undefined;
}

function elementRefused(which: 'source' | 'destination', path: string, doc: Doc, array: string): StoreError {
  return badValue(
    `The ${which} field cannot be an array element, '${path}' in doc with _id: ${show(doc._id)} has an array field called '${array}'`,
  );
}
