import { serialize } from 'bson';
import type { Doc, Value } from '../values/value.ts';
import { OP } from './frame.ts';

/** A reply to a request: header and body in one buffer. */
export function frameReply(requestId: number, replyId: number, legacy: boolean, body: Buffer): Buffer {
  const head = legacy ? 36 : 21;
  const frame = Buffer.allocUnsafe(head + body.length);
  frame.writeInt32LE(frame.length, 0);
  frame.writeInt32LE(replyId, 4);
  frame.writeInt32LE(requestId, 8);
  frame.writeInt32LE(legacy ? OP.reply : OP.msg, 12);
  if (legacy) {
    // responseFlags (AwaitCapable), cursorID, startingFrom, numberReturned
    frame.writeInt32LE(8, 16);
    frame.writeBigInt64LE(0n, 20);
    frame.writeInt32LE(0, 28);
    frame.writeInt32LE(1, 32);
  } else {
    frame.writeInt32LE(0, 16);
    frame[20] = 0;
  }
  body.copy(frame, head);
  return frame;
}

/** BSON of an answer. */
export function encode(answer: Doc | Record<string, unknown>): Buffer {
  const bytes = serialize(answer as Record<string, Value>, { ignoreUndefined: true });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The answer that carries a batch of a cursor, put together from the documents' own bytes. */
export function encodeBatch(field: 'firstBatch' | 'nextBatch', ns: string, cursorId: bigint, batch: Buffer[]): Buffer {
  const nsBytes = Buffer.from(ns);
  let arraySize = 5;
  for (let i = 0; i < batch.length; i++) arraySize += 2 + digits(i) + batch[i]!.length;
  const cursorSize = 4 + (2 + field.length) + arraySize + (4 + 8) + (4 + 4 + nsBytes.length + 1) + 1;
  const size = 4 + (2 + 6) + cursorSize + (4 + 8) + 1;
  const out = Buffer.allocUnsafe(size);
  let at = out.writeInt32LE(size, 0);
  const name = (type: number, text: string) => {
    out[at++] = type;
    at += out.write(text, at, 'latin1');
    out[at++] = 0;
  };
  name(3, 'cursor');
  at = out.writeInt32LE(cursorSize, at);
  name(4, field);
  at = out.writeInt32LE(arraySize, at);
  for (let i = 0; i < batch.length; i++) {
    name(3, String(i));
    at += batch[i]!.copy(out, at);
  }
  out[at++] = 0;
  name(0x12, 'id');
  at = out.writeBigInt64LE(cursorId, at);
  name(2, 'ns');
  at = out.writeInt32LE(nsBytes.length + 1, at);
  at += nsBytes.copy(out, at);
  out[at++] = 0;
  out[at++] = 0;
  name(1, 'ok');
  at = out.writeDoubleLE(1, at);
  out[at] = 0;
  return out;
}

function digits(n: number): number {
  return n < 10 ? 1 : n < 100 ? 2 : String(n).length;
}
