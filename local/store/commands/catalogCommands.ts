import { Binary, Double } from 'bson';
import { CODE, notSupported, StoreError } from '../errors.ts';
import { parseFilter } from '../query/filter.ts';
import { compileFilter } from '../query/match.ts';
import type { Collection } from '../storage/collection.ts';
import { identical } from '../values/compare.ts';
import { show } from '../values/show.ts';
import { type Doc, isDoc, typeOf, type Value } from '../values/value.ts';
import { boolArg, type Call, type Command, checkCollectionName, collectionName, docArg, missing } from './call.ts';

/** Options of `create` that ask for a kind of collection the store does not have. */
const CREATE_REFUSED = [
  'capped',
  'size',
  'max',
  'validator',
  'validationLevel',
  'validationAction',
  'viewOn',
  'pipeline',
  'timeseries',
  'expireAfterSeconds',
  'clusteredIndex',
  'changeStreamPreAndPostImages',
  'encryptedFields',
  'indexOptionDefaults',
  'storageEngine',
];

function create(call: Call): Doc {
  const name = call.args.create;
  if (typeof name !== 'string') throw new StoreError(CODE.InvalidNamespace, 'collection name has invalid type');
  const refused = CREATE_REFUSED.find(o => call.args[o] !== undefined && call.args[o] !== false);
  if (refused !== undefined) throw notSupported(`the option '${refused}' of create`);
  checkCollectionName(call.db, name);
  const { catalog } = call.engine;
  if (catalog.get(call.db, name)) {
    throw new StoreError(CODE.NamespaceExists, `Collection ${call.db}.${name} already exists.`);
  }
  catalog.create(call.db, name);
  return {};
}

function drop(call: Call): Doc {
  const { catalog } = call.engine;
  const collection = catalog.get(call.db, collectionName(call));
  if (!collection) throw new StoreError(CODE.NamespaceNotFound, 'ns not found');
  const nIndexesWas = collection.indexes.length;
  dropCollection(call, collection);
  return { nIndexesWas, ns: collection.ns };
}

function dropCollection(call: Call, collection: Collection): void {
  call.engine.catalog.drop(collection);
  call.engine.cursors.dropped(collection.ns);
}

function dropDatabase(call: Call): Doc {
  for (const collection of call.engine.catalog.list(call.db)) dropCollection(call, collection);
  return {};
}

function listIndexes(call: Call): Doc {
  const collection = call.engine.catalog.get(call.db, collectionName(call));
  if (!collection) {
    throw new StoreError(CODE.NamespaceNotFound, `ns does not exist: ${call.db}.${String(call.args.listIndexes)}`);
  }
  return wholeCursor(
    collection.ns,
    collection.indexes.map(x => x.spec),
  );
}

/** The answer to a listing: a cursor whose first batch has everything. */
function wholeCursor(ns: string, firstBatch: Doc[]): Doc {
  return { cursor: { id: 0n, ns, firstBatch } };
}

function dropIndexes(call: Call): Doc {
  const collection = call.engine.catalog.get(call.db, collectionName(call));
  if (!collection) {
    throw new StoreError(CODE.NamespaceNotFound, `ns not found ${call.db}.${String(call.args.dropIndexes)}`);
  }
  const { index } = call.args;
  if (index === undefined) throw missing('dropIndexes.index');
  // Some may be on their way through an index that is about to go.
  call.engine.cursors.dropped(collection.ns);
  const nIndexesWas = collection.indexes.length;
  if (index === '*') {
    for (const x of collection.indexes.slice(1)) call.engine.catalog.dropIndex(collection, x);
    return { nIndexesWas, msg: 'non-_id indexes dropped for collection' };
  }
  const chosen = (Array.isArray(index) ? index : [index]).map(x => indexToDrop(collection, x));
  for (const x of chosen) call.engine.catalog.dropIndex(collection, x);
  return { nIndexesWas };
}

function indexToDrop(collection: Collection, wanted: Value) {
  if (typeof wanted !== 'string' && !isDoc(wanted)) {
    throw new StoreError(
      CODE.TypeMismatch,
      `BSON field 'dropIndexes.index' is the wrong type '${typeOf(wanted).name}', expected types '[string, object']`,
    );
  }
  const found = collection.indexes.filter(x =>
    typeof wanted === 'string' ? x.name === wanted : identical(x.spec.key, wanted),
  );
  if (found.length > 1) {
    throw new StoreError(
      181,
      `${found.length} indexes found for key: ${show(wanted)}, identify by name instead. Conflicting indexes: ${found.map(x => show(x.spec)).join(', ')}`,
    );
  }
  const index = found[0];
  if (!index) {
    const reason =
      typeof wanted === 'string'
        ? `index not found with name [${wanted}]`
        : `can't find index with key: ${show(wanted)}`;
    throw new StoreError(CODE.IndexNotFound, reason);
  }
  if (index.name === '_id_') throw new StoreError(CODE.InvalidOptions, 'cannot drop _id index');
  return index;
}

function listCollections(call: Call): Doc {
  const accepts = filterOf(call);
  const nameOnly = boolArg(call, 'nameOnly');
  const all = call.engine.catalog.list(call.db).map(c => ({
    name: c.name,
    type: 'collection',
    options: {},
    info: { readOnly: false, uuid: new Binary(c.uuid, Binary.SUBTYPE_UUID) },
    idIndex: c.indexes[0]!.spec,
  }));
  const found = all.filter(accepts).map((c): Doc => (nameOnly ? { name: c.name, type: c.type } : c));
  return wholeCursor(`${call.db}.$cmd.listCollections`, found);
}

function filterOf(call: Call): (doc: Doc) => boolean {
  return compileFilter(parseFilter(docArg(call, 'filter') ?? {}, call.engine.expr));
}

function listDatabases(call: Call): Doc {
  if (call.db !== 'admin') {
    throw new StoreError(CODE.Unauthorized, 'listDatabases may only be run against the admin database.');
  }
  const { catalog, sql } = call.engine;
  const accepts = filterOf(call);
  const nameOnly = boolArg(call, 'nameOnly');
  const names = catalog.databases().filter(name => accepts({ name, empty: false }));
  if (nameOnly) return { databases: names.map(name => ({ name })) };
  // All databases share the one file; its size cannot be told apart.
  const [pages, pageSize] = ['page_count', 'page_size'].map(p =>
    Number((sql.prepare(`PRAGMA ${p}`).get() as unknown as unknown[])[0]),
  );
  const size = new Double(pages! * pageSize!);
  return {
    databases: names.map(name => ({ name, sizeOnDisk: size, empty: false })),
    totalSize: size,
    totalSizeMb: Math.floor(size.value / 2 ** 20),
  };
}

/** Commands about collections and indexes. */
export const CATALOG: Record<string, Command> = {
  create: { fields: CREATE_REFUSED, run: create },
  drop: { fields: [], run: drop },
  dropDatabase: { fields: [], run: dropDatabase },
  listIndexes: { fields: ['cursor'], run: listIndexes },
  dropIndexes: { fields: ['index'], run: dropIndexes },
  deleteIndexes: { fields: ['index'], run: dropIndexes },
  listCollections: { fields: ['filter', 'nameOnly', 'cursor', 'authorizedCollections'], run: listCollections },
  listDatabases: { fields: ['filter', 'nameOnly', 'authorizedDatabases'], run: listDatabases },
};
