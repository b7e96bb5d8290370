import { randomInt } from 'node:crypto';
import { CODE, StoreError } from '../errors.ts';
import type { Deadline } from '../plan/query.ts';
import { encodeBatch } from '../wire/reply.ts';

/** An open cursor: BSON documents still to be given. */
export interface Cursor {
  ns: string;
  documents: Iterator<Buffer>;
  /** The document that did not fit into the last batch. */
  pending: Buffer | undefined;
  lastUsed: number;
  options: CursorOptions;
  /** Milliseconds of its `maxTimeMS` that are left: only the time it works counts. */
  timeLeft: number;
}

export interface CursorOptions {
  batchSize: number;
  /** Whether it is kept when there may be more than the first batch. */
  keep: boolean;
  /** Never dropped for not being used. */
  noTimeout?: boolean;
  deadline: Deadline | undefined;
}

/** The cursors clients left open between batches. */
export interface Cursors {
  /** The first batch as an answer; keeps the cursor when there may be more. */
  first(ns: string, documents: Iterator<Buffer>, options: CursorOptions, now: number): Buffer;
  /** The next batch as an answer. Throws CursorNotFound. */
  next(id: bigint, ns: string, batchSize: number, now: number): Buffer;
  /** Whether there was such a cursor. */
  kill(id: bigint): boolean;
  /** Drops those not used since `before`. */
  expire(before: number): void;
  /** Drops those of a namespace that is gone. */
  dropped(ns: string): void;
}

/** A batch's documents together stay below this, as an answer must fit into a message. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** A registry without cursors. */
export function createCursors(): Cursors {
  const open = new Map<bigint, Cursor>();

  function newId(): bigint {
    // Beyond 2^53, as the server's mostly are, so that drivers keep them as int64.
    const id = (1n << 62n) | (BigInt(randomInt(2 ** 31)) << 31n) | BigInt(randomInt(2 ** 31));
    return open.has(id) ? newId() : id;
  }

  return {
    first(ns, documents, options, now) {
      const timeLeft = (options.deadline?.at ?? 0) - performance.now();
      const cursor: Cursor = { ns, documents, pending: undefined, lastUsed: now, options, timeLeft };
      const { batch, ended } = take(cursor, options.batchSize);
      if (ended || !options.keep) return encodeBatch('firstBatch', ns, 0n, batch);
      const id = newId();
      open.set(id, cursor);
      return encodeBatch('firstBatch', ns, id, batch);
    },
    next(id, ns, batchSize, now) {
      const cursor = open.get(id);
      if (!cursor) throw new StoreError(CODE.CursorNotFound, `cursor id ${id} not found`);
      if (cursor.ns !== ns) {
        throw new StoreError(
          CODE.Unauthorized,
          `Requested getMore on namespace '${ns}', but cursor belongs to a different namespace ${cursor.ns}`,
        );
      }
      cursor.lastUsed = now;
      open.delete(id);
      const { batch, ended } = take(cursor, batchSize);
      if (!ended) open.set(id, cursor);
      return encodeBatch('nextBatch', ns, ended ? 0n : id, batch);
    },
    kill: id => open.delete(id),
    dropped(ns) {
      for (const [id, cursor] of open) if (cursor.ns === ns) open.delete(id);
    },
    expire(before) {
      for (const [id, cursor] of open) if (cursor.lastUsed < before && !cursor.options.noTimeout) open.delete(id);
    },
  };
}

function take(cursor: Cursor, batchSize: number): { batch: Buffer[]; ended: boolean } {
  const { deadline } = cursor.options;
  if (deadline) deadline.at = performance.now() + cursor.timeLeft;
  const taken = fill(cursor, batchSize);
  if (deadline) cursor.timeLeft = deadline.at - performance.now();
  return taken;
}

function fill(cursor: Cursor, batchSize: number): { batch: Buffer[]; ended: boolean } {
  const batch: Buffer[] = [];
  let bytes = 0;
  while (batch.length < batchSize) {
    const document = cursor.pending ?? nextOf(cursor.documents);
    cursor.pending = undefined;
    if (!document) return { batch, ended: true };
    if (batch.length > 0 && bytes + document.length > MAX_BATCH_BYTES) {
      cursor.pending = document;
      return { batch, ended: false };
    }
    bytes += document.length;
    batch.push(document);
  }
  return { batch, ended: false };
}

function nextOf(documents: Iterator<Buffer>): Buffer | undefined {
  const { done, value } = documents.next();
  return done ? undefined : (value as Buffer);
}
