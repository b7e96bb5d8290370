import { badValue, CODE, StoreError } from '../errors.ts';
import { identical } from '../values/compare.ts';
import { isIndex } from '../values/path.ts';
import { show } from '../values/show.ts';
import { type Doc, fieldOf, isDoc, type Value } from '../values/value.ts';
import { type ArrayFilters, identifierOf, noArrayFilter } from './arrayFilters.ts';
import type { Leaf, Update, UpdateContext } from './leaf.ts';
import { rename } from './rename.ts';

/** How many elements an update may put in between the end of an array and the position it sets. */
const MAX_BACKFILL = 1_500_000;

interface Application {
  context: UpdateContext;
  filters: ArrayFilters;
  /** What `$` stands for. */
  position: string | undefined;
  leaf: Leaf;
}

/**
 * The document after an update; `doc` itself is changed and must not be used again. `position` is what the positional
 * operator stands for. Throws ImmutableField when `_id` would change.
 */
export function applyUpdate(
  update: Update,
  doc: Doc,
  context: UpdateContext,
  filters: ArrayFilters,
  position: string | undefined,
): Doc {
  const id = doc._id;
  if (update.kind === 'replace') return replaced(update.doc, id);
  if (update.kind === 'pipeline') return keepingId(update.apply(doc), id);
  for (const leaf of update.leaves) {
    if (leaf.onlyOnInsert && !context.inserting) continue;
    if (leaf.target) rename(doc, leaf, leafTo => applyAt(doc, '', 0, { context, filters, position, leaf: leafTo }));
    else applyAt(doc, '', 0, { context, filters, position, leaf });
    if (!identical(id, doc._id) && !(context.inserting && id === undefined)) throw immutable(leaf.path);
  }
  return doc;
}

function replaced(doc: Doc, id: Value | undefined): Doc {
  if (id === undefined) return doc;
  if (doc._id !== undefined && !identical(doc._id, id)) throw altered(doc._id);
  return { _id: id, ...doc, ...(doc._id === undefined ? undefined : { _id: id }) };
}

function keepingId(doc: Doc, id: Value | undefined): Doc {
  if (id === undefined || identical(doc._id, id)) return doc;
  if (doc._id === undefined) return { _id: id, ...doc };
  throw altered(doc._id);
}

function altered(id: Value): StoreError {
  return new StoreError(
    CODE.ImmutableField,
    `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${show(id)}`,
  );
}

function immutable(path: string): StoreError {
  return new StoreError(
    CODE.ImmutableField,
    `Performing an update on the path '${path}' would modify the immutable field '_id'`,
  );
}

/** `name` is the field that holds `container`, for messages. */
function applyAt(container: Doc | Value[], name: string, at: number, application: Application): void {
  const { leaf, position } = application;
  let part = leaf.parts[at]!;
  if (part === '$') {
    if (position === undefined) throw noPosition();
    part = position;
  }
  const identifier = identifierOf(part);
  if (identifier !== undefined) applyToElements(container, name, at, identifier, application);
  else if (!Array.isArray(container)) applyToField(container, part, at, application);
  else if (isIndex(part)) applyToElement(container, Number(part), at, application);
  else if (!leaf.lenient) throw notViable(part, name, container);
}

function applyToField(doc: Doc, name: string, at: number, application: Application): void {
  const { leaf, context } = application;
  const old = fieldOf(doc, name);
  if (at < leaf.parts.length - 1) {
    const next = descend(old, name, at, application);
    if (next === undefined) return;
    if (old === undefined) doc[name] = next;
    applyAt(next, name, at + 1, application);
    return;
  }
  const value = leaf.apply(old, context);
  if (value !== undefined) doc[name] = value;
  else if (old !== undefined) delete doc[name];
}

function applyToElement(array: Value[], index: number, at: number, application: Application): void {
  const { leaf, context } = application;
  const exists = index < array.length;
  if (!exists && !leaf.creates) return;
  const old = exists ? array[index] : undefined;
  const name = String(index);
  if (at < leaf.parts.length - 1) {
    const next = descend(old, name, at, application);
    if (next === undefined) return;
    if (!exists) setElement(array, index, next);
    applyAt(next, name, at + 1, application);
    return;
  }
  const value = leaf.apply(old, context);
  if (value !== undefined) setElement(array, index, value);
  else if (exists) array[index] = null;
}

function setElement(array: Value[], index: number, value: Value): void {
  if (index - array.length > MAX_BACKFILL) {
    throw new StoreError(CODE.BadValue, `can't backfill more than ${MAX_BACKFILL} elements`);
  }
  while (array.length < index) array.push(null);
  array[index] = value;
}

/** The container below a field on the way to the end of the path; undefined when the operator has nothing to do. */
function descend(old: Value | undefined, name: string, at: number, { leaf }: Application): Doc | Value[] | undefined {
  if (isDoc(old) || Array.isArray(old)) return old;
  const next = leaf.parts[at + 1]!;
  if (identifierOf(next) !== undefined) {
    const path = leaf.parts.slice(0, at).concat(name).join('.');
    if (old === undefined) {
      throw badValue(`The path '${path}' must exist in the document in order to apply array updates.`);
    }
    throw badValue(`Cannot apply array updates to non-array element ${name}: ${show(old)}`);
  }
  if (next === '$') throw noPosition();
  if (old === undefined) return leaf.creates ? {} : undefined;
  if (leaf.lenient) return undefined;
  throw notViable(next, name, old);
}

function applyToElements(
  container: Doc | Value[],
  name: string,
  at: number,
  identifier: string,
  application: Application,
): void {
  const { leaf, filters } = application;
  if (!Array.isArray(container)) {
    throw badValue(`Cannot apply array updates to non-array element ${name}: ${show(container)}`);
  }
  const accepts = identifier === '' ? () => true : filters.get(identifier);
  if (!accepts) throw noArrayFilter(identifier, leaf.path);
  for (let i = 0; i < container.length; i++) {
    if (!accepts(container[i]!)) continue;
    const parts = leaf.parts.with(at, String(i));
    applyToElement(container, i, at, { ...application, leaf: { ...leaf, parts } });
  }
}

function noPosition(): StoreError {
  return badValue('The positional operator did not find the match needed from the query.');
}

function notViable(part: string, name: string, value: Value): StoreError {
  return new StoreError(CODE.PathNotViable, `Cannot create field '${part}' in element {${name}: ${show(value)}}`);
}
