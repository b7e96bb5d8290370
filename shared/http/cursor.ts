import { z } from 'zod';
import { AppError } from '../errors.ts';

/**
 * Makes an opaque cursor of the sort values of a page's last row.
 * @param sort name of the sort order, so that a cursor is refused under another one
 */
export function encodeCursor(sort: string, values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([sort, ...values])).toString('base64url');
}

/**
 * Reads a cursor back; undefined for no cursor.
 * @throws AppError `invalid_cursor` when it is broken or belongs to another sort order or shape
 */
export function decodeCursor<T extends z.ZodTuple>(
  cursor: string | undefined,
  sort: string,
  values: T,
): z.infer<T> | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [name, ...rest] = z
      .array(z.union([z.string(), z.number()]))
      .parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (name !== sort || encodeCursor(sort, rest) !== cursor) throw new Error('not ours');
    return values.parse(rest);
  } catch (cause) {
    throw new AppError('invalid_cursor', { cause });
  }
}
