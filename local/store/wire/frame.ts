import { StoreError } from '../errors.ts';
import { documentEnd, readDocument } from '../values/read.ts';
import type { Doc } from '../values/value.ts';

export const OP = { reply: 1, query: 2004, compressed: 2012, msg: 2013 } as const;

/** Flags of OP_MSG. */
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;

/** The largest message taken, as told in `hello`. */
export const MAX_MESSAGE_BYTES = 48_000_000;
const HEADER_BYTES = 16;

/** A document of a document sequence, with its BSON as it came. */
export interface RawDocument {
  bytes: Buffer;
}

/** A request as it came over the wire. */
export interface Request {
  id: number;
  legacy: boolean;
  /** The client wants no reply (OP_MSG moreToCome). */
  silent: boolean;
  db: string;
  command: Doc;
  /** Document sequences (kind-1 sections) by their name. */
  sequences: ReadonlyMap<string, RawDocument[]>;
}

/** Thrown for bytes that are no message of the protocol: the connection cannot go on. */
export class FrameError extends Error {}

/**
 * Cuts a stream of bytes into messages. `push` takes the next bytes and gives the messages that are now complete.
 * Throws FrameError for a length outside of 16 bytes to 48 MB.
 */
export function createFrameReader(): { push(bytes: Buffer): Buffer[] } {
  let parts: Buffer[] = [];
  let size = 0;
  return {
    push(bytes) {
      const frames: Buffer[] = [];
      parts.push(bytes);
      size += bytes.length;
      while (size >= 4) {
        if (parts[0]!.length < 4) parts = [Buffer.concat(parts)];
        const length = parts[0]!.readInt32LE(0);
        if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) throw new FrameError(`message length ${length}`);
        if (size < length) break;
        const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
        frames.push(all.subarray(0, length));
        size -= length;
        parts = size > 0 ? [all.subarray(length)] : [];
      }
      return frames;
    },
  };
}

/** The request in a message. Throws FrameError for what is no OP_MSG or OP_QUERY, StoreError for bad BSON in it. */
export function readRequest(frame: Buffer): Request {
  const id = frame.readInt32LE(4);
  const opcode = frame.readInt32LE(12);
  if (opcode === OP.msg) return readMsg(frame, id);
  if (opcode === OP.query) return readQuery(frame, id);
  throw new FrameError(`opcode ${opcode}`);
}

function readMsg(frame: Buffer, id: number): Request {
  if (frame.length < HEADER_BYTES + 4 + 6) throw new FrameError('a cut off OP_MSG');
  const flags = frame.readUInt32LE(16);
  const unknown = flags & 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME);
  if (unknown !== 0 || flags >>> 0 > (EXHAUST_ALLOWED | 0xffff)) throw new FrameError(`OP_MSG flags ${flags}`);
  const end = frame.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  const sequences = new Map<string, RawDocument[]>();
  let command: Doc | undefined;
  for (let at = 20; at < end; ) {
    const kind = frame[at++];
    if (kind === 0) {
      if (command) throw new FrameError('two bodies');
      const next = checkedEnd(frame, at, end);
      command = readDocument(frame.subarray(at, next));
      at = next;
    } else if (kind === 1) at = readSequence(frame, at, end, sequences);
    else throw new FrameError(`section kind ${kind}`);
  }
  if (!command) throw new FrameError('no body');
  if (typeof command.$db !== 'string') {
    throw new StoreError(40571, 'OP_MSG requests require a $db argument');
  }
  return { id, legacy: false, silent: (flags & MORE_TO_COME) !== 0, db: command.$db, command, sequences };
}

/** Where the document at `at` ends; a length that does not fit ends the connection, since nothing after it can be read. */
function checkedEnd(frame: Buffer, at: number, end: number): number {
  try {
    return documentEnd(frame, at, end);
  } catch (error) {
    throw new FrameError((error as Error).message);
  }
}

function readSequence(frame: Buffer, start: number, limit: number, sequences: Map<string, RawDocument[]>): number {
  if (start + 4 > limit) throw new FrameError('a cut off section');
  const end = start + frame.readInt32LE(start);
  if (end > limit || end < start + 5) throw new FrameError('a section of a wrong size');
  const nameEnd = frame.indexOf(0, start + 4);
  if (nameEnd < 0 || nameEnd >= end) throw new FrameError('a section without a name');
  const documents: RawDocument[] = [];
  for (let at = nameEnd + 1; at < end; ) {
    const next = checkedEnd(frame, at, end);
    documents.push({ bytes: frame.subarray(at, next) });
    at = next;
  }
  sequences.set(frame.toString('utf8', start + 4, nameEnd), documents);
  return end;
}

/** OP_QUERY is only the handshake of drivers that do not know the server yet: `isMaster` or `hello` on `<db>.$cmd`. */
function readQuery(frame: Buffer, id: number): Request {
  const nameEnd = frame.indexOf(0, 20);
  if (nameEnd < 0 || nameEnd + 9 > frame.length) throw new FrameError('a cut off OP_QUERY');
  const ns = frame.toString('utf8', 20, nameEnd);
  const at = nameEnd + 9;
  const command = readDocument(frame.subarray(at, checkedEnd(frame, at, frame.length)));
  return { id, legacy: true, silent: false, db: ns.split('.')[0]!, command, sequences: new Map() };
}
