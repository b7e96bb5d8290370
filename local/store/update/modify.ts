import { ObjectId } from 'bson';
import { checkId } from '../commands/writes.ts';
import type { Engine } from '../engine.ts';
import type { FoundRow } from '../plan/query.ts';
import type { Filter } from '../query/filter.ts';
import type { Found, Matcher } from '../query/match.ts';
import type { Collection } from '../storage/collection.ts';
import { readDocument } from '../values/read.ts';
import type { Doc, Value } from '../values/value.ts';
import { writeDocument } from '../values/write.ts';
import { applyUpdate } from './apply.ts';
import { type ArrayFilters, parseArrayFilters } from './arrayFilters.ts';
import type { Update } from './leaf.ts';
import { parseUpdate } from './parse.ts';
import { documentOfFilter } from './upsert.ts';

/** An update ready to be applied to documents. */
export interface Modifier {
  update: Update;
  filters: ArrayFilters;
  /** Whether it needs the position of the array element that the filter matched. */
  positional: boolean;
}

/** Parses an update and its array filters. */
export function parseModifier(u: Value | undefined, arrayFilters: Value | undefined, engine: Engine): Modifier {
  const update = parseUpdate(u, engine.compilers);
  const filters = parseArrayFilters(arrayFilters, update, u, engine.expr);
  const positional = update.kind === 'operators' && update.leaves.some(l => l.parts.includes('$'));
  return { update, filters, positional };
}

/**
 * Applies an update to a found document and stores it. Returns the document after it, and whether that changed anything.
 */
export function modifyRow(
  engine: Engine,
  collection: Collection,
  row: FoundRow,
  matches: Matcher,
  { update, filters, positional }: Modifier,
): { doc: Doc; bytes: Buffer; modified: boolean } {
  const doc = row.doc ?? readDocument(row.bytes);
  const found: Found = { position: undefined };
  if (positional) matches(doc, found);
  const before = collection.keysOf(doc);
  const context = { now: engine.clock(), inserting: false, id: doc._id };
  const after = applyUpdate(update, doc, context, filters, found.position);
  const bytes = writeDocument(after);
  if (bytes.equals(row.bytes)) return { doc: after, bytes, modified: false };
  collection.replace(row.rid, before, bytes, after);
  return { doc: after, bytes, modified: true };
}

/** Inserts the document of an upsert that found none. */
export function upsert(engine: Engine, collection: Collection, filter: Filter, modifier: Modifier): Doc {
  const start = documentOfFilter(filter);
  if (modifier.update.kind !== 'operators') {
    const id = start._id;
    if (modifier.update.kind === 'replace') for (const name of Object.keys(start)) delete start[name];
    if (id !== undefined) start._id = id;
  }
  const context = { now: engine.clock(), inserting: true, id: start._id };
  const made = applyUpdate(modifier.update, start, context, modifier.filters, undefined);
  const doc: Doc = { _id: made._id ?? new ObjectId(), ...made };
  checkId(doc._id!);
  collection.insert(writeDocument(doc), doc);
  return doc;
}
