import { z } from 'zod';

/** An id: opaque to clients, UUID version 7 in practice. */
export const id = z
  .string()
  .min(1)
  .max(64)
  // Half a surrogate pair cannot be written into an address.
  .refine(value => value.isWellFormed(), 'must be well-formed Unicode')
  .meta({ description: 'Opaque id', example: '01995f6e-7a1c-7000-8000-5d2f3c6b7a19' });

export const timestamp = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'RFC 3339 in UTC with milliseconds', example: '2026-11-22T15:39:00.000Z' });

export const idParams = z.strictObject({ id });

/** A whole number in a query, where everything arrives as text. */
export const queryInt = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .meta({ override: { type: 'integer', pattern: undefined, minimum, maximum } });

export const queryBoolean = z
  .enum(['true', 'false'])
  .transform(value => value === 'true')
  .meta({ override: { type: 'boolean', enum: undefined } });

/** `limit` and `cursor` of every list. */
export const pageQuery = {
  limit: queryInt(1, 100).default(20).meta({ description: 'Rows per page, 20 by default' }),
  cursor: z.string().min(1).max(1024).optional().meta({ description: '`nextCursor` of the page before' }),
};

/** The shape of a list's page. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });

/** Printable text without control characters, trimmed; stored exactly otherwise. The lengths are those before trimming, too. */
export const text = (maximum: number, minimum = 1) =>
  z
    .string()
    .max(maximum)
    .trim()
    .min(minimum)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    .regex(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/, 'must not have control characters')
    .refine(value => value.isWellFormed(), 'must be well-formed Unicode');
