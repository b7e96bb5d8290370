import type { z } from 'zod';
import { AppError, type FieldError } from '../errors.ts';

const maxErrors = 20;

/** zod's issues as `{path, message}`, the path prefixed by the part of the request (`query.limit`), body fields bare. */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], part: string): FieldError[] {
  return issues.slice(0, maxErrors).map(issue => ({
    path: [...(part === 'body' ? [] : [part]), ...issue.path.map(String)].join('.') || part,
    message: issue.message,
  }));
}

/**
 * Checks one part of a request.
 * @param part `params`, `query` or `body`
 * @throws AppError `invalid_request` that names every wrong field (at most 20)
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown, part: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AppError('invalid_request', { errors: fieldErrors(result.error.issues, part) });
}
