import { badValue, CODE, notSupported, StoreError } from '../errors.ts';
import { type Entry, entriesOf, keyOf } from '../storage/indexKeys.ts';
import { fieldsOf, type IndexField } from '../storage/indexSpec.ts';
import type { KeyWriter } from '../values/key.ts';
import { asInteger } from '../values/numbers.ts';
import { show } from '../values/show.ts';
import { type Doc, isDoc, isNumeric } from '../values/value.ts';

/** The fields of a sort document; `$natural` is none. Throws BadValue for directions other than 1 and -1. */
export function parseSort(sort: Doc): IndexField[] {
  const names = Object.keys(sort);
  if (names.includes('$natural')) {
    if (names.length > 1) throw badValue("Cannot include '$natural' in compound sort");
    return [];
  }
  for (const name of names) {
    const direction = sort[name]!;
    if (isDoc(direction)) throw notSupported('sorting by $meta');
    if (!isNumeric(direction)) {
      throw new StoreError(15974, `Illegal key in $sort specification: ${name}: ${show(direction)}`);
    }
    const n = asInteger(direction);
    if (n !== 1 && n !== -1) {
      throw new StoreError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    }
    if (name === '') throw new StoreError(40352, 'FieldPath cannot be constructed with empty string');
    if (name.startsWith('$')) {
      throw new StoreError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    }
  }
  return fieldsOf(sort);
}

/** The bytes a document sorts by: the least of its entries, as an index on these fields would have it first. */
export function sortKey(doc: Doc, fields: readonly IndexField[], writer: KeyWriter): Buffer {
  const entries = sortEntries(doc, fields);
  let least = keyOf(entries[0]!, fields, writer);
  for (let i = 1; i < entries.length; i++) {
    const key = keyOf(entries[i]!, fields, writer);
    if (Buffer.compare(key, least) < 0) least = key;
  }
  return least;
}

function sortEntries(doc: Doc, fields: readonly IndexField[]): Entry[] {
  try {
    return entriesOf(doc, fields, false, () => {});
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== CODE.CannotIndexParallelArrays) throw error;
    throw badValue('cannot sort with keys that are parallel arrays');
  }
}

/** The rows in the order of their keys, stable; only the first `limit` when it is given. */
export function sortRows<T>(rows: Iterable<T>, keyOfRow: (row: T) => Buffer, limit: number | undefined): T[] {
  let kept: { key: Buffer; row: T }[] = [];
  const settle = () => {
    kept.sort((a, b) => Buffer.compare(a.key, b.key));
    if (limit !== undefined) kept = kept.slice(0, limit);
  };
  for (const row of rows) {
    kept.push({ key: keyOfRow(row), row });
    if (limit !== undefined && kept.length >= 2 * limit + 1000) settle();
  }
  settle();
  return kept.map(k => k.row);
}
