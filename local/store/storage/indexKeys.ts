import { CODE, StoreError } from '../errors.ts';
import type { KeyWriter } from '../values/key.ts';
import { isIndex } from '../values/path.ts';
import { type Doc, fieldOf, isDoc, type Value } from '../values/value.ts';
import type { Index, IndexField } from './indexSpec.ts';

/** Stands for a missing field, which an index keeps as null. */
const MISSING = Symbol('missing');
/** Stands for an empty array, which an index keeps below null. */
export const EMPTY_ARRAY = Symbol('empty array');

type Node = Value | typeof MISSING | typeof EMPTY_ARRAY;

/** One entry of a document in an index: a value per field. */
export type Entry = readonly (Value | typeof EMPTY_ARRAY)[];

interface Walk {
  node: Node;
  /** Components of the path already walked; all of them and `leaf` when the node is the value itself. */
  at: number;
  leaf: boolean;
}

/** Called when a field's path met an array at a depth (see IndexField.arraysAt). */
export type OnArray = (field: number, depth: number) => void;

/**
 * The entries of a document by MongoDB's rules: each element of an array gives one; the fields of a compound index that
 * pass through the same array are expanded together, and different arrays are an error (171).
 */
export function entriesOf(doc: Doc, fields: readonly IndexField[], sparse: boolean, onArray: OnArray): Entry[] {
  const entries: Entry[] = [];
  const start = fields.map((): Walk => ({ node: doc, at: 0, leaf: false }));
  expand(start, fields, sparse, onArray, entries);
  return entries;
}

function expand(
  walks: Walk[],
  fields: readonly IndexField[],
  sparse: boolean,
  onArray: OnArray,
  entries: Entry[],
): void {
  let array: Value[] | undefined;
  let owner = 0;
  const reached = walks.map((w, i) => {
    const next = w.leaf ? w : advance(w, fields[i]!.parts);
    if (!next.leaf && Array.isArray(next.node)) {
      if (array && array !== next.node) throw parallelArrays(fields[owner]!, fields[i]!);
      array = next.node;
      owner = i;
      onArray(i, next.at);
    }
    return next;
  });
  if (!array) {
    if (sparse && reached.every(w => w.node === MISSING)) return;
    entries.push(reached.map(w => (w.node === MISSING ? null : w.node)));
    return;
  }
  const all: (Value | undefined)[] = array.length === 0 ? [undefined] : array;
  for (const element of all) {
    const into = reached.map((w, i) => (w.leaf || w.node !== array ? w : enter(w, element, fields[i]!.parts)));
    expand(into, fields, sparse, onArray, entries);
  }
}

/** Walks on to the next array or to the end of the path. */
function advance(from: Walk, parts: readonly string[]): Walk {
  let node = from.node;
  let at = from.at;
  while (at < parts.length) {
    if (Array.isArray(node)) {
      const part = parts[at]!;
      if (!isIndex(part) || Number(part) >= node.length) return { node, at, leaf: false };
      node = node[Number(part)]!;
    } else if (typeof node === 'symbol' || !isDoc(node)) return { node: MISSING, at: parts.length, leaf: true };
    else {
      const below = fieldOf(node, parts[at]!);
      node = below === undefined ? MISSING : below;
    }
    at++;
  }
  return { node, at, leaf: !Array.isArray(node) };
}

/** One element of the array at which a field stands; undefined for the empty array. */
function enter(w: Walk, element: Value | undefined, parts: readonly string[]): Walk {
  if (w.at === parts.length) return { node: element === undefined ? EMPTY_ARRAY : element, at: w.at, leaf: true };
  if (isDoc(element)) return { node: element, at: w.at, leaf: false };
  return { node: MISSING, at: parts.length, leaf: true };
}

function parallelArrays(a: IndexField, b: IndexField): StoreError {
  const name = (f: IndexField) => `[${f.path.split('.').at(-1)}]`;
  return new StoreError(CODE.CannotIndexParallelArrays, `cannot index parallel arrays ${name(b)} ${name(a)}`);
}

/** The key bytes of an entry. */
export function keyOf(entry: Entry, fields: readonly IndexField[], writer: KeyWriter): Buffer {
  for (let i = 0; i < entry.length; i++) {
    const v = entry[i]!;
    writer.value(v === EMPTY_ARRAY ? undefined : (v as Value), fields[i]!.descending);
  }
  return writer.take();
}

/** The distinct keys a document has in an index; none when a partial index does not hold it. */
export function indexKeys(doc: Doc, index: Index, writer: KeyWriter, onArray: OnArray): Buffer[] {
  if (index.partial && !index.partial.matches(doc)) return [];
  const entries = entriesOf(doc, index.fields, index.sparse, onArray);
  const keys = entries.map(e => keyOf(e, index.fields, writer));
  if (keys.length < 2) return keys;
  return keys.sort(Buffer.compare).filter((key, i) => i === 0 || !key.equals(keys[i - 1]!));
}
