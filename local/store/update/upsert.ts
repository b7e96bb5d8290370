import { StoreError } from '../errors.ts';
import { conjunctsOf } from '../plan/constraints.ts';
import type { Filter } from '../query/filter.ts';
import { type Doc, fieldOf, isDoc, setField, type Value } from '../values/value.ts';

/**
 * The document an upsert starts from: the fields the filter pins to one value by equality (also as the only value of
 * `$in`, `$all` or the only branch of `$or`), in the order of their paths. Throws NotExactValueField when two say so.
 */
export function documentOfFilter(filter: Filter): Doc {
  const values = new Map<string, Value>();
  collect(filter, values);
  const doc: Doc = {};
  if (values.has('_id')) doc._id = values.get('_id')!;
  for (const path of [...values.keys()].sort()) if (path !== '_id') put(doc, path, values.get(path)!);
  return doc;
}

function collect(filter: Filter, values: Map<string, Value>): void {
  for (const f of conjunctsOf(filter)) {
    if (f.kind === 'or' && f.of.length === 1) collect(f.of[0]!, values);
    if (f.kind !== 'test') continue;
    const { test } = f;
    if (test.op === 'eq') add(values, f.path, test.value);
    else if (test.op === 'in' && test.values.length === 1 && test.regexes.length === 0) {
      add(values, f.path, test.values[0]!);
    }
  }
}

function add(values: Map<string, Value>, path: string, value: Value): void {
  for (const other of values.keys()) {
    if (other === path) throw new StoreError(54, `cannot infer query fields to set, path '${path}' is matched twice`);
    if (other.startsWith(`${path}.`) || path.startsWith(`${other}.`)) {
      throw new StoreError(54, `cannot infer query fields to set, both paths '${other}' and '${path}' are matched`);
    }
  }
  values.set(path, value);
}

function put(doc: Doc, path: string, value: Value): void {
  const parts = path.split('.');
  let at = doc;
  for (const part of parts.slice(0, -1)) {
    const next = fieldOf(at, part);
    const into: Doc = isDoc(next) ? next : {};
    setField(at, part, into);
    at = into;
  }
  setField(at, parts.at(-1)!, value);
}
