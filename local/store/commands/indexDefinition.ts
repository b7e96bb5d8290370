import { CODE, notSupported, StoreError } from '../errors.ts';
import type { CompileExpr } from '../query/filter.ts';
import { parseFilter } from '../query/filter.ts';
import { asInteger } from '../values/numbers.ts';
import { show } from '../values/show.ts';
import { type Doc, isDoc, isNumeric, typeOf, type Value } from '../values/value.ts';
import { checkCollation } from './generic.ts';

const OPTIONS = [
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
  'collation',
  'hidden',
];

/** Options of index types that the store does not have. */
const REFUSED = [
  'weights',
  'default_language',
  'language_override',
  'textIndexVersion',
  '2dsphereIndexVersion',
  'bits',
  'min',
  'max',
  'bucketSize',
  'wildcardProjection',
  'storageEngine',
  'prepareUnique',
  'clustered',
];

/** The definition of an index as it is stored. Throws for what is wrong in it or not supported. */
export function checkIndexDefinition(given: Doc, expr: CompileExpr): Doc {
  const fail = (code: number, reason: string) =>
    new StoreError(code, `Error in specification ${show(given)} :: caused by :: ${reason}`);
  const { key, name } = given;
  if (key === undefined) {
    throw fail(CODE.FailedToParse, "The 'key' field is a required property of an index specification");
  }
  if (!isDoc(key)) {
    throw fail(CODE.TypeMismatch, `The field 'key' must be an object, but got ${typeOf(key).name}`);
  }
  if (name === undefined) {
    throw fail(CODE.FailedToParse, "The 'name' field is a required property of an index specification");
  }
  if (typeof name !== 'string') {
    throw fail(CODE.TypeMismatch, `The field 'name' must be a string, but got ${typeOf(name).name}`);
  }
  if (name === '') throw fail(CODE.CannotCreateIndex, 'index name cannot be empty');
  if (name === '*') throw new StoreError(CODE.BadValue, "The index name '*' is not valid.");
  for (const option of Object.keys(given)) {
    if (REFUSED.includes(option)) throw notSupported(`the index option '${option}'`);
    if (OPTIONS.includes(option)) continue;
    throw fail(
      CODE.InvalidIndexSpecificationOption,
      `The field '${option}' is not valid for an index specification. Specification: ${show(given)}`,
    );
  }
  checkKey(key, reason => fail(CODE.CannotCreateIndex, reason));
  if (given.v !== undefined && asInteger(given.v) !== 2) throw notSupported('an index version other than 2');
  checkCollation(given.collation);
  if (given.hidden === true) throw notSupported('a hidden index');
  if (key._id !== undefined && Object.keys(key).length === 1) return idIndex(given, key);
  const spec: Doc = { v: 2 };
  for (const flag of ['unique', 'sparse'] as const) {
    const v = given[flag];
    if (v === undefined) continue;
    if (typeof v !== 'boolean' && !isNumeric(v)) {
      throw fail(
        CODE.TypeMismatch,
        `The field '${flag} has value ${flag}: ${show(v)}, which is not convertible to bool`,
      );
    }
    if (v === true || (isNumeric(v) && asInteger(v) !== 0)) spec[flag] = true;
  }
  const partial = given.partialFilterExpression;
  if (partial !== undefined) checkPartial(partial, given, expr, fail);
  if (given.expireAfterSeconds !== undefined) checkTtl(given.expireAfterSeconds, key, given);
  const { unique, sparse } = spec;
  return {
    v: 2,
    key,
    name,
    ...(unique ? { unique } : undefined),
    ...(sparse ? { sparse } : undefined),
    ...(partial === undefined ? undefined : { partialFilterExpression: partial }),
    ...(given.expireAfterSeconds === undefined ? undefined : { expireAfterSeconds: given.expireAfterSeconds }),
  };
}

/** The index on `_id` is always there; it may be asked for again, but only as it is. */
function idIndex(given: Doc, key: Doc): Doc {
  const wrong = ['unique', 'sparse', 'expireAfterSeconds', 'partialFilterExpression'].find(o => given[o] !== undefined);
  if (wrong !== undefined) {
    throw new StoreError(
      CODE.InvalidIndexSpecificationOption,
      `The field '${wrong}' is not valid for an _id index specification. Specification: ${show({ ...given, v: 2 })}`,
    );
  }
  if (asInteger(key._id) !== 1) {
    throw new StoreError(CODE.BadValue, `The field 'key' for an _id index must be {_id: 1}, but got ${show(key)}`);
  }
  return { v: 2, key: { _id: 1 }, name: '_id_' };
}

type Fail = (code: number, reason: string) => StoreError;

function checkKey(key: Doc, fail: (reason: string) => StoreError): void {
  const entries = Object.entries(key);
  if (entries.length === 0) throw fail('Index keys cannot be empty.');
  for (const [path, direction] of entries) {
    if (typeof direction === 'string') {
      if (!['text', 'hashed', '2d', '2dsphere'].includes(direction)) throw fail(`Unknown index plugin '${direction}'`);
      throw notSupported(`an index of type '${direction}'`);
    }
    if (!isNumeric(direction)) {
      throw fail(
        `Values in v:2 index key pattern cannot be of type ${typeOf(direction).name}. Only numbers > 0, numbers < 0, and strings are allowed.`,
      );
    }
    const n = Number(String(direction));
    if (n === 0) throw fail('Values in the index key pattern cannot be 0.');
    if (Number.isNaN(n)) throw fail('Values in the index key pattern cannot be NaN.');
    checkKeyPath(path, fail);
  }
}

function checkKeyPath(path: string, fail: (reason: string) => StoreError): void {
  if (path === '') throw fail('Index keys cannot be an empty field.');
  const parts = path.split('.');
  if (parts.includes('$**')) throw notSupported('a wildcard index');
  if (parts.includes('')) throw fail('Index keys cannot contain an empty field.');
  if (parts.some(p => p.startsWith('$'))) {
    throw fail("Index key contains an illegal field name: field name starts with '$'.");
  }
}

const PARTIAL_OPERATORS = ['$eq', '$gt', '$gte', '$lt', '$lte', '$exists', '$type', '$in', '$and', '$or'];

function checkPartial(filter: Value, given: Doc, expr: CompileExpr, fail: Fail): void {
  if (!isDoc(filter)) {
    throw fail(
      CODE.TypeMismatch,
      `The field 'partialFilterExpression' must be an object, but got ${typeOf(filter).name}`,
    );
  }
  if (given.sparse === true) {
    throw fail(CODE.CannotCreateIndex, 'cannot mix "partialFilterExpression" and "sparse" options');
  }
  try {
    parseFilter(filter, expr);
  } catch (error) {
    throw error instanceof StoreError ? fail(error.code, error.message) : error;
  }
  checkPartialOperators(filter, fail);
}

function checkPartialOperators(filter: Doc, fail: Fail): void {
  for (const [name, value] of Object.entries(filter)) {
    const refused = name.startsWith('$') && !PARTIAL_OPERATORS.includes(name);
    if (refused || (name === '$exists' && (value === false || value === 0))) {
      throw fail(CODE.CannotCreateIndex, `Expression not supported in partial index: ${show({ [name]: value })}`);
    }
    if (isDoc(value)) checkPartialOperators(value, fail);
    else if (Array.isArray(value) && (name === '$and' || name === '$or')) {
      for (const v of value) if (isDoc(v)) checkPartialOperators(v, fail);
    }
  }
}

function checkTtl(seconds: Value, key: Doc, given: Doc): void {
  const fail = (reason: string) => new StoreError(CODE.CannotCreateIndex, `${reason} Index spec: ${show(given)}`);
  if (Object.keys(key).length > 1) {
    throw fail('TTL indexes are single-field indexes, compound indexes do not support TTL.');
  }
  const option = "TTL index 'expireAfterSeconds' option";
  if (!isNumeric(seconds)) {
    throw fail(`${option} must be numeric, but received a type of '${typeOf(seconds).name}'.`);
  }
  const n = Number(String(seconds));
  if (n < 0) throw fail(`${option} cannot be less than 0.`);
  if (!(n <= 0x7fffffff)) throw fail(`${option} must be within an acceptable range, try a different number than ${n}.`);
}
