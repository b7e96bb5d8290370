import { CODE, StoreError } from '../errors.ts';
import type { Collection } from '../storage/collection.ts';
import type { Index } from '../storage/indexSpec.ts';
import { identical } from '../values/compare.ts';
import { show } from '../values/show.ts';
import type { Doc } from '../values/value.ts';
import { type Command, collectionName, documentsArg } from './call.ts';
import { checkIndexDefinition } from './indexDefinition.ts';
import { readStatement } from './update.ts';

const MAX_INDEXES = 64;

/** The createIndexes command. */
export const createIndexes: Command = {
  fields: ['indexes', 'commitQuorum'],
  run(call): Doc {
    const { catalog } = call.engine;
    const name = collectionName(call);
    const given = documentsArg(call, 'indexes').map(readStatement);
    if (given.length === 0) throw new StoreError(CODE.BadValue, 'Must specify at least one index to create');
    const specs = given.map(spec => checkIndexDefinition(spec, call.engine.expr));
    const existing = catalog.get(call.db, name);
    const numBefore = existing?.indexes.length ?? 1;
    const fresh = specs.filter(spec => !existing || !hasIndex(existing, spec));
    if (existing && fresh.length === 0) {
      return {
        numIndexesBefore: numBefore,
        numIndexesAfter: numBefore,
        note: 'all indexes already exist',
      };
    }
    const collection = existing ?? catalog.create(call.db, name);
    if (collection.indexes.length + fresh.length > MAX_INDEXES) {
      throw new StoreError(
        CODE.CannotCreateIndex,
        `add index fails, too many indexes for ${collection.ns} key:${show(fresh[0]!.key)}`,
      );
    }
    for (const spec of fresh)
      if (!hasIndex(collection, spec)) build(collection, spec, s => catalog.addIndex(collection, s));
    return {
      numIndexesBefore: numBefore,
      numIndexesAfter: collection.indexes.length,
      createdCollectionAutomatically: !existing,
    };
  },
};

function build(collection: Collection, spec: Doc, add: (spec: Doc) => Index): void {
  try {
    add(spec);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(
      error.code,
      `Index build failed: ${uuidOf(collection)}: Collection ${collection.ns} ( ${uuidOf(collection)} ) :: caused by :: ${error.message}`,
      error.details,
    );
  }
}

function uuidOf({ uuid }: Collection): string {
  return uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Whether the collection has this very index. Throws when it has another one of its name or the same by another name. */
function hasIndex(collection: Collection, spec: Doc): boolean {
  if (spec.name === '_id_') return true;
  const sameName = collection.indexes.find(x => x.name === spec.name);
  const equivalent = sameName ?? collection.indexes.find(x => isEquivalent(x.spec, spec));
  if (!equivalent) return false;
  const shown = `Requested index: ${show(spec)}, existing index: ${show(equivalent.spec)}`;
  if (sameName && !isEquivalent(sameName.spec, spec)) {
    throw new StoreError(
      CODE.IndexKeySpecsConflict,
      `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. ${shown}`,
    );
  }
  const sameOptions = identical(equivalent.spec.expireAfterSeconds, spec.expireAfterSeconds);
  if (sameName && sameOptions) return true;
  if (sameOptions) {
    throw new StoreError(CODE.IndexOptionsConflict, `Index already exists with a different name: ${equivalent.name}`);
  }
  const difference = sameName ? 'the same name but different options' : 'a different name and options';
  throw new StoreError(CODE.IndexOptionsConflict, `An equivalent index already exists with ${difference}. ${shown}`);
}

/** Whether two definitions say the same of which documents have which entries. */
function isEquivalent(a: Doc, b: Doc): boolean {
  const fields = ['key', 'partialFilterExpression', 'unique', 'sparse'];
  return fields.every(f => identical(a[f], b[f]));
}
