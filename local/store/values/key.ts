import { type Binary, type BSONRegExp, type Code, Decimal128, Double, type ObjectId, type Timestamp } from 'bson';
import { addExact, type Exact, exactOfDecimal, exactOfDouble, floorToDouble } from './exact.ts';
import { type Doc, ORDER, orderOf, type Value } from './value.ts';

/**
 * Index keys: bytes whose memcmp order is MongoDB's order of the values, equal exactly for values that compare equal.
 * Each value starts with its type (ORDER) and ends itself, so keys of several fields are joined without separators and
 * no key of a value is a prefix of another's. A descending field has all its bytes inverted.
 *
 *   string, names   UTF-8, 00 as 00 FF, closed by 00 00
 *   number          greatest double not above it (8 bytes, sign made sortable), then what remains (00 for nothing)
 *   object, array   type, name (objects), value of each field; closed by 00
 *   binary          length, subtype, bytes (the server compares lengths first)
 */
export interface KeyWriter {
  /** Appends the key of a value; undefined is the key of an empty array (below null). */
  value(v: Value | undefined, descending: boolean): void;
  /** The key so far as its own bytes; the writer starts anew. */
  take(): Buffer;
}

/** A writer with a buffer of its own that grows as needed. Not shared between interleaved uses. */
export function createKeyWriter(): KeyWriter {
  let bytes = Buffer.allocUnsafe(512);
  let size = 0;

  function room(n: number): void {
    if (size + n <= bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, size + n));
    bytes.copy(larger, 0, 0, size);
    bytes = larger;
  }

  function text(s: string): void {
    room(s.length * 6 + 2);
    const start = size;
    let i = 0;
    for (; i < s.length; i++) {
      const c = s.charCodeAt(i);
      if (c === 0 || c > 127) break;
      bytes[size++] = c;
    }
    if (i < s.length) {
      size = start;
      for (const b of Buffer.from(s)) {
        bytes[size++] = b;
        if (b === 0) bytes[size++] = 0xff;
      }
    }
    bytes[size++] = 0;
    bytes[size++] = 0;
  }

  function sortableDouble(n: number): void {
    room(9);
    if (Number.isNaN(n)) bytes.fill(0, size, size + 8);
    else {
      bytes.writeDoubleBE(n === 0 ? 0 : n, size);
      if (bytes[size]! & 0x80) for (let i = size; i < size + 8; i++) bytes[i]! ^= 0xff;
      else bytes[size]! ^= 0x80;
    }
    size += 8;
  }

  function number(v: number | bigint | Double | Decimal128): void {
    const n = v instanceof Double ? v.value : v;
    if (typeof n === 'number' || (typeof n === 'bigint' && BigInt(Number(n)) === n)) {
      sortableDouble(Number(n));
      bytes[size++] = 0;
      return;
    }
    const exact = n instanceof Decimal128 ? exactOfDecimal(n) : { digits: n, exponent: 0 };
    if (!exact) {
      sortableDouble(Number(n.toString()));
      bytes[size++] = 0;
      return;
    }
    exactNumber(exact);
  }

  function exactNumber(exact: Exact): void {
    const below = floorToDouble(exact);
    sortableDouble(below);
    if (below === Number.NEGATIVE_INFINITY) remainder({ ...exact, digits: -exact.digits }, 0xff);
    else {
      const base = exactOfDouble(below);
      remainder(addExact(exact, { ...base, digits: -base.digits }), 0);
    }
  }

  /** A positive remainder as 01, its decimal magnitude and digits; all after the 01 inverted when `mask` is ff. */
  function remainder(rest: Exact, mask: number): void {
    if (rest.digits === 0n) {
      bytes[size++] = 0;
      return;
    }
    const digits = rest.digits.toString();
    const magnitude = digits.length + rest.exponent + 0x8000;
    const significant = digits.replace(/0+$/, '');
    room(significant.length + 4);
    bytes[size++] = 1;
    bytes[size++] = (magnitude >> 8) ^ mask;
    bytes[size++] = (magnitude & 0xff) ^ mask;
    for (let i = 0; i < significant.length; i++) bytes[size++] = significant.charCodeAt(i) ^ mask;
    bytes[size++] = mask;
  }

  function int64(n: bigint): void {
    bytes.writeBigUInt64BE(BigInt.asUintN(64, n) ^ (1n << 63n), size);
    size += 8;
  }

  function put(v: Value | undefined): void {
    room(16);
    if (v === undefined) {
      bytes[size++] = ORDER.undefined;
      return;
    }
    const order = orderOf(v);
    bytes[size++] = order;
    payload(order, v);
  }

  function payload(order: number, v: Value): void {
    if (order === ORDER.string) text(v as string);
    else if (order === ORDER.number) number(v as number | bigint | Double | Decimal128);
    else if (order === ORDER.objectId) {
      bytes.set((v as ObjectId).id, size);
      size += 12;
    } else if (order === ORDER.date) int64(BigInt((v as Date).getTime()));
    else if (order === ORDER.boolean) bytes[size++] = v ? 1 : 0;
    else if (order === ORDER.object) fields(v as Doc);
    else if (order === ORDER.array) {
      for (const x of v as Value[]) put(x);
      room(1);
      bytes[size++] = 0;
    } else rare(order, v);
  }

  function rare(order: number, v: Value): void {
    if (order === ORDER.binary) {
      const data = (v as Binary).value();
      room(data.length + 5);
      bytes.writeUInt32BE(data.length, size);
      bytes[size + 4] = (v as Binary).sub_type;
      bytes.set(data, size + 5);
      size += data.length + 5;
    } else if (order === ORDER.timestamp) {
      bytes.writeBigUInt64BE((v as Timestamp).toBigInt(), size);
      size += 8;
    } else if (order === ORDER.regex) {
      text((v as BSONRegExp).pattern);
      text((v as BSONRegExp).options);
    } else if (order === ORDER.code) text(String((v as Code).code));
  }

  function fields(doc: Doc): void {
    for (const name of Object.keys(doc)) {
      room(1);
      const order = orderOf(doc[name]!);
      bytes[size++] = order;
      text(name);
      room(16);
      payload(order, doc[name]!);
    }
    room(1);
    bytes[size++] = 0;
  }

  return {
    value(v, descending) {
      const start = size;
      put(v);
      if (descending) for (let i = start; i < size; i++) bytes[i]! ^= 0xff;
    },
    take() {
      const key = Buffer.from(bytes.subarray(0, size));
      size = 0;
      return key;
    },
  };
}

/** The least bytes above every key that starts with `prefix`; undefined when there are none (all FF). */
export function afterPrefix(prefix: Buffer): Buffer | undefined {
  let n = prefix.length;
  while (n > 0 && prefix[n - 1] === 0xff) n--;
  if (n === 0) return undefined;
  const bytes = Buffer.from(prefix.subarray(0, n));
  bytes[n - 1]!++;
  return bytes;
}
