import { Binary, BSONRegExp, Code, Decimal128, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { CODE, StoreError } from '../errors.ts';
import { type Doc, double, setField, type Value } from './value.ts';

/** The server's limit of nesting in a stored document. */
export const MAX_DEPTH = 180;
const MAX_DATE = 8.64e15;

function invalid(what: string): StoreError {
  return new StoreError(CODE.InvalidBSON, `invalid BSON: ${what}`);
}

/**
 * Reads a BSON document from `bytes` at `start`, keeping every numeric type apart (see Value), which
 * `bson.deserialize` does only by wrapping every number. Throws InvalidBSON for malformed bytes and for the types the
 * store does not hold (undefined, DBPointer, symbol, code with scope). The values share memory with `bytes`.
 */
export function readDocument(bytes: Buffer, start = 0): Doc {
  const end = documentEnd(bytes, start, bytes.length);
  return readFields(bytes, start + 4, end - 1, 0);
}

/** End offset of the document at `start`; checks its length against `limit` and its closing zero. */
export function documentEnd(bytes: Buffer, start: number, limit: number): number {
  if (start + 5 > limit) throw invalid('a document is cut off');
  const size = bytes.readInt32LE(start);
  if (size < 5 || start + size > limit || bytes[start + size - 1] !== 0) throw invalid(`a document of size ${size}`);
  return start + size;
}

function cstringEnd(bytes: Buffer, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== 0) i++;
  if (i >= end) throw invalid('an unterminated name');
  return i;
}

/** Short ASCII names, which nearly all are, are read faster byte by byte than by a call into the decoder. */
function readName(bytes: Buffer, start: number, end: number): string {
  if (end - start > 24) return bytes.toString('utf8', start, end);
  let name = '';
  for (let i = start; i < end; i++) {
    const c = bytes[i]!;
    if (c > 127) return bytes.toString('utf8', start, end);
    name += String.fromCharCode(c);
  }
  return name;
}

function readFields(bytes: Buffer, start: number, end: number, depth: number): Doc {
  const doc: Doc = {};
  let at = start;
  while (at < end) {
    const type = bytes[at]!;
    const nameEnd = cstringEnd(bytes, at + 1, end);
    const name = readName(bytes, at + 1, nameEnd);
    const next = valueEnd(bytes, type, nameEnd + 1, end);
    const value = readValue(bytes, type, nameEnd + 1, next, depth);
    if (name === '__proto__') setField(doc, name, value);
    else doc[name] = value;
    at = next;
  }
  return doc;
}

function readArray(bytes: Buffer, start: number, end: number, depth: number): Value[] {
  const values: Value[] = [];
  let at = start;
  while (at < end) {
    const type = bytes[at]!;
    const nameEnd = cstringEnd(bytes, at + 1, end);
    const next = valueEnd(bytes, type, nameEnd + 1, end);
    values.push(readValue(bytes, type, nameEnd + 1, next, depth));
    at = next;
  }
  return values;
}

/** End offset of the value of `type` at `at`; throws when it would reach over `end`. */
export function valueEnd(bytes: Buffer, type: number, at: number, end: number): number {
  const next = at + sizeOf(bytes, type, at, end);
  if (next > end) throw invalid('a value reaches over the end of its document');
  return next;
}

function sizeOf(bytes: Buffer, type: number, at: number, end: number): number {
  switch (type) {
    case 0x0a:
    case 0xff:
    case 0x7f:
      return 0;
    case 0x08:
      return 1;
    case 0x10:
      return 4;
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12:
      return 8;
    case 0x07:
      return 12;
    case 0x13:
      return 16;
    case 0x0b:
      return cstringEnd(bytes, cstringEnd(bytes, at, end) + 1, end) + 1 - at;
    case 0x02:
    case 0x0d:
      return 4 + length(bytes, at, end, 1);
    case 0x05:
      return 5 + length(bytes, at, end, 0);
    case 0x03:
    case 0x04:
      return documentEnd(bytes, at, end) - at;
    default:
      throw invalid(`type 0x${type.toString(16).padStart(2, '0')} is not supported`);
  }
}

function length(bytes: Buffer, at: number, end: number, least: number): number {
  if (at + 4 > end) throw invalid('a value is cut off');
  const n = bytes.readInt32LE(at);
  if (n < least) throw invalid(`a value of length ${n}`);
  return n;
}

function readValue(bytes: Buffer, type: number, at: number, next: number, depth: number): Value {
  switch (type) {
    case 0x02:
      return readString(bytes, at, next);
    case 0x10:
      return bytes.readInt32LE(at);
    case 0x07:
      return new ObjectId(bytes.subarray(at, next));
    case 0x03:
    case 0x04:
      if (depth >= MAX_DEPTH) throw new StoreError(CODE.Overflow, `documents may nest at most ${MAX_DEPTH} deep`);
      if (type === 0x03) return readFields(bytes, at + 4, next - 1, depth + 1);
      return readArray(bytes, at + 4, next - 1, depth + 1);
    case 0x08:
      return bytes[at] === 1;
    case 0x09:
      return readDate(bytes.readBigInt64LE(at));
    case 0x0a:
      return null;
    case 0x01:
      return double(bytes.readDoubleLE(at));
    case 0x12:
      return bytes.readBigInt64LE(at);
    default:
      return readRare(bytes, type, at, next);
  }
}

function readString(bytes: Buffer, at: number, next: number): string {
  if (bytes[next - 1] !== 0) throw invalid('an unterminated string');
  return bytes.toString('utf8', at + 4, next - 1);
}

function readDate(ms: bigint): Date {
  const n = Number(ms);
  if (Math.abs(n) > MAX_DATE) throw invalid(`the date ${ms} is out of range`);
  return new Date(n);
}

function readRare(bytes: Buffer, type: number, at: number, next: number): Value {
  switch (type) {
    case 0x05:
      return new Binary(bytes.subarray(at + 5, next), bytes[at + 4]);
    case 0x0b: {
      const patternEnd = cstringEnd(bytes, at, next);
      return new BSONRegExp(bytes.toString('utf8', at, patternEnd), bytes.toString('utf8', patternEnd + 1, next - 1));
    }
    case 0x0d:
      return new Code(readString(bytes, at, next));
    case 0x11:
      return new Timestamp(bytes.readBigUInt64LE(at));
    case 0x13:
      return new Decimal128(bytes.subarray(at, next));
    case 0xff:
      return new MinKey();
    default:
      return new MaxKey();
  }
}
