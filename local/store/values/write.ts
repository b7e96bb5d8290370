import { serialize } from 'bson';
import { CODE, StoreError } from '../errors.ts';
import { documentEnd, MAX_DEPTH, valueEnd } from './read.ts';
import { type Doc, isDoc, type Value } from './value.ts';

/** The server's limit of a document's size in bytes. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** BSON of a document; the exact types come back (see Value). Throws when it is too large or nested too deep to be read. */
export function writeDocument(doc: Doc): Buffer {
  checkDepth(doc, 0);
  const bytes = serialize(doc, { ignoreUndefined: true });
  checkSize(bytes.byteLength);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkDepth(container: Doc | Value[], depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new StoreError(CODE.Overflow, `documents may nest at most ${MAX_DEPTH} deep`);
  }
  for (const v of Array.isArray(container) ? container : Object.values(container)) {
    if (typeof v === 'object' && (Array.isArray(v) || isDoc(v))) checkDepth(v, depth + 1);
  }
}

/** Throws BSONObjectTooLarge when a document of `size` bytes may not be stored. */
export function checkSize(size: number): void {
  if (size <= MAX_DOCUMENT_BYTES) return;
  throw new StoreError(
    CODE.BSONObjectTooLarge,
    `BSONObj size: ${size} (0x${size.toString(16).toUpperCase()}) is invalid. Size must be between 0 and 16793600(16MB)`,
  );
}

/** The same document with `_id` as its first field, as the server stores it; the very same bytes when it is already. */
export function idFirst(bytes: Buffer): Buffer {
  const end = documentEnd(bytes, 0, bytes.length) - 1;
  for (let at = 4; at < end; ) {
    let nameEnd = at + 1;
    while (bytes[nameEnd] !== 0) nameEnd++;
    const next = valueEnd(bytes, bytes[at]!, nameEnd + 1, end);
    if (nameEnd - at === 4 && bytes.toString('latin1', at + 1, nameEnd) === '_id') {
      if (at === 4) return bytes;
      return Buffer.concat([
        bytes.subarray(0, 4),
        bytes.subarray(at, next),
        bytes.subarray(4, at),
        bytes.subarray(next),
      ]);
    }
    at = next;
  }
  return bytes;
}
