import {
  Binary,
  BSONRegExp,
  BSONValue,
  Code,
  Decimal128,
  Double,
  type MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';

/**
 * A BSON value as the store holds it. Numeric types stay apart: a JS number is an int32 when it is an integer of that
 * range (and not -0), else a double; a `Double` is a double that happens to be such an integer; a bigint is an int64.
 * So `bson.serialize` gives back exactly the types that were read. `undefined` stands for a missing field.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | ObjectId
  | Binary
  | Double
  | Decimal128
  | Timestamp
  | BSONRegExp
  | Code
  | MinKey
  | MaxKey
  | Value[]
  | Doc;

export interface Doc {
  [field: string]: Value;
}

/** Canonical type order of MongoDB's comparison; numbers of all widths share one. Bytes of index keys, so never zero. */
export const ORDER = {
  minKey: 2,
  /** What an empty array is in an index: below null. */
  undefined: 4,
  null: 5,
  number: 10,
  string: 15,
  object: 20,
  array: 25,
  binary: 30,
  objectId: 35,
  boolean: 40,
  date: 45,
  timestamp: 47,
  regex: 50,
  code: 60,
  maxKey: 127,
} as const;

const INT32_MIN = -0x80000000;
const INT32_MAX = 0x7fffffff;

/** Whether a JS number is an int32 in the store's reading of numbers. */
export function isInt32(n: number): boolean {
  return (n | 0) === n && !Object.is(n, -0);
}

/** The double `n`, wrapped when it would otherwise be taken for an int32. */
export function double(n: number): number | Double {
  return isInt32(n) ? new Double(n) : n;
}

/** The int64 `n` as the narrower of int32 and int64, as the server's arithmetic on an int32 operand gives it. */
export function narrow(n: bigint): number | bigint {
  return n >= INT32_MIN && n <= INT32_MAX ? Number(n) : n;
}

/** Whether the value is an embedded document: not null, not an array, not a BSON or Date object. */
export function isDoc(v: Value | undefined): v is Doc {
  return typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof BSONValue) && !(v instanceof Date);
}

/** Whether the value is of a numeric type. */
export function isNumeric(v: Value | undefined): v is number | bigint | Double | Decimal128 {
  return typeof v === 'number' || typeof v === 'bigint' || v instanceof Double || v instanceof Decimal128;
}

/**
 * A field of a document, undefined when missing. Guards against the members of Object.prototype: documents hold no
 * functions, and `__proto__` reads as Object.prototype unless it is a field.
 */
export function fieldOf(doc: Doc, name: string): Value | undefined {
  const v: unknown = doc[name];
  return typeof v === 'function' || v === Object.prototype ? undefined : (v as Value | undefined);
}

/** Sets a field, `__proto__` included, as an own property. */
export function setField(doc: Doc, name: string, value: Value): void {
  if (name === '__proto__') {
    Object.defineProperty(doc, name, { value, writable: true, enumerable: true, configurable: true });
  } else doc[name] = value;
}

/** The canonical type of a value, one of ORDER. */
export function orderOf(v: Value): number {
  switch (typeof v) {
    case 'string':
      return ORDER.string;
    case 'number':
    case 'bigint':
      return ORDER.number;
    case 'boolean':
      return ORDER.boolean;
    default:
      return orderOfObject(v);
  }
}

function orderOfObject(v: Exclude<Value, string | number | bigint | boolean>): number {
  if (v === null) return ORDER.null;
  if (Array.isArray(v)) return ORDER.array;
  if (v instanceof Date) return ORDER.date;
  if (!(v instanceof BSONValue)) return ORDER.object;
  if (v instanceof ObjectId) return ORDER.objectId;
  if (v instanceof Double || v instanceof Decimal128) return ORDER.number;
  if (v instanceof Timestamp) return ORDER.timestamp;
  if (v instanceof Binary) return ORDER.binary;
  if (v instanceof BSONRegExp) return ORDER.regex;
  if (v instanceof Code) return ORDER.code;
  return v instanceof MinKey ? ORDER.minKey : ORDER.maxKey;
}

/** Name and number of a value's BSON type, as `$type` and error texts have them. */
export function typeOf(v: Value): { name: string; number: number } {
  if (typeof v === 'string') return { name: 'string', number: 2 };
  if (typeof v === 'number') return isInt32(v) ? { name: 'int', number: 16 } : { name: 'double', number: 1 };
  if (typeof v === 'bigint') return { name: 'long', number: 18 };
  if (typeof v === 'boolean') return { name: 'bool', number: 8 };
  if (v === null) return { name: 'null', number: 10 };
  if (Array.isArray(v)) return { name: 'array', number: 4 };
  if (v instanceof Date) return { name: 'date', number: 9 };
  if (!(v instanceof BSONValue)) return { name: 'object', number: 3 };
  if (v instanceof ObjectId) return { name: 'objectId', number: 7 };
  if (v instanceof Double) return { name: 'double', number: 1 };
  if (v instanceof Decimal128) return { name: 'decimal', number: 19 };
  if (v instanceof Timestamp) return { name: 'timestamp', number: 17 };
  if (v instanceof Binary) return { name: 'binData', number: 5 };
  if (v instanceof BSONRegExp) return { name: 'regex', number: 11 };
  if (v instanceof Code) return { name: 'javascript', number: 13 };
  return v instanceof MinKey ? { name: 'minKey', number: -1 } : { name: 'maxKey', number: 127 };
}
