import { AppError } from '@tradepost/shared/errors';

/** Longest line in bytes; as much as a JSON body may have. */
export const maxLineBytes = 100_000;

/** One line of a file, numbered from 1; `text` is missing when the line cannot be read, and `problem` says why. */
export type Line = { number: number; text: string; problem?: undefined } | { number: number; problem: string };

/**
 * Passes chunks on, and gives up when none comes for `idleMs`. The time that the reader takes does not count.
 * @throws AppError `request_timeout` · `invalid_request` when the sender left in the middle
 */
export async function* withIdleLimit(chunks: AsyncIterable<Buffer>, idleMs: number): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await within(iterator.next(), idleMs);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not waited for: an idle source would not answer.
    iterator.return?.().catch(() => {});
  }
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<never>((_, reject) => {
    const detail = `No data came for ${ms} ms; rows before that are kept`;
    timer = setTimeout(() => reject(new AppError('request_timeout', { detail })), ms);
  });
  const arrived = work.catch(cause => {
    throw new AppError('invalid_request', { detail: 'The body ended before it was complete', cause });
  });
  try {
    return await Promise.race([arrived, idle]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Splits bytes into lines, holding no more than one line at a time. A byte order mark is left out, and so is the CR of a
 * CRLF. A line that is too long or not UTF-8 is reported and the next ones are read.
 * @throws AppError `invalid_request` for a file in UTF-16
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  let skipping = false;
  let begun = false;
  const lineOf = (bytes: Buffer): Line => {
    number += 1;
    if (skipping || bytes.length > maxLineBytes) return { number, problem: `is longer than ${maxLineBytes} bytes` };
    try {
      return { number, text: decoder.decode(bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes) };
    } catch {
      return { number, problem: 'is not UTF-8' };
    }
  };
  for await (const chunk of chunks) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    if (!begun && rest.length > 1) refuseUtf16(rest);
    begun ||= rest.length > 1;
    let from = 0;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a, from)) {
      yield lineOf(rest.subarray(from, end));
      from = end + 1;
      skipping = false;
    }
    rest = rest.subarray(from);
    if (rest.length > maxLineBytes) {
      skipping = true;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0 || skipping) yield lineOf(rest);
}

function refuseUtf16(bytes: Buffer): void {
  const mark = bytes.readUInt16BE(0);
  if (mark === 0xfeff || mark === 0xfffe) {
    throw new AppError('invalid_request', { detail: 'The file is in UTF-16; send it in UTF-8' });
  }
}
