import { badValue, CODE, failedToParse, StoreError } from '../errors.ts';
import { type CompileExpr, parseFilter } from '../query/filter.ts';
import { compileFilter } from '../query/match.ts';
import { show } from '../values/show.ts';
import { type Doc, isDoc, typeOf, type Value } from '../values/value.ts';
import type { Update } from './leaf.ts';

/** The conditions of `$[identifier]` on an element, by identifier. */
export type ArrayFilters = ReadonlyMap<string, (element: Value) => boolean>;

/** Parses the `arrayFilters` of an update and checks that each is used. `u` is shown in messages. */
export function parseArrayFilters(
  filters: Value | undefined,
  update: Update,
  u: Value | undefined,
  expr: CompileExpr,
): ArrayFilters {
  const byName = new Map<string, (element: Value) => boolean>();
  if (filters === undefined) return byName;
  if (!Array.isArray(filters)) {
    throw new StoreError(
      CODE.TypeMismatch,
      `BSON field 'arrayFilters' is the wrong type '${typeOf(filters).name}', expected type 'array'`,
    );
  }
  if (update.kind !== 'operators') {
    throw failedToParse('arrayFilters may not be specified for pipeline-style or replacement-style updates');
  }
  for (const filter of filters) {
    if (!isDoc(filter)) throw new StoreError(CODE.TypeMismatch, 'arrayFilters must be documents');
    const name = nameOf(filter);
    if (byName.has(name)) {
      throw failedToParse(`Found multiple array filters with the same top-level field name ${name}`);
    }
    const matches = compileFilter(parseFilter(filter, expr));
    byName.set(name, element => matches({ [name]: element }));
  }
  const used = new Set<string | undefined>();
  for (const leaf of update.leaves) {
    for (const identifier of leaf.parts.map(identifierOf)) {
      if (identifier && !byName.has(identifier)) throw noArrayFilter(identifier, leaf.path);
      used.add(identifier);
    }
  }
  for (const name of byName.keys()) {
    if (!used.has(name)) {
      throw failedToParse(`The array filter for identifier '${name}' was not used in the update ${show(u)}`);
    }
  }
  return byName;
}

/** The answer to `$[identifier]` without a filter of that name. */
export function noArrayFilter(identifier: string, path: string): StoreError {
  return badValue(`No array filter found for identifier '${identifier}' in path '${path}'`);
}

function nameOf(filter: Doc): string {
  const names = [...new Set(topLevelNames(filter))];
  if (names.length === 0)
    throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters');
  if (names.length > 1) {
    throw failedToParse(
      `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${names[0]}' and '${names[1]}'`,
    );
  }
  if (!/^[a-z][a-zA-Z0-9]*$/.test(names[0]!)) {
    throw badValue(
      `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${names[0]}'`,
    );
  }
  return names[0]!;
}

function topLevelNames(filter: Doc): string[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (!name.startsWith('$')) return [name.split('.')[0]!];
    return Array.isArray(value) ? value.filter(isDoc).flatMap(topLevelNames) : [];
  });
}

/** The identifier of a path component `$[identifier]`; '' for `$[]`, undefined for any other. */
export function identifierOf(part: string): string | undefined {
  return part.startsWith('$[') && part.endsWith(']') ? part.slice(2, -1) : undefined;
}
