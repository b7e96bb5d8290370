import type { z } from 'zod';
import { AppError, type FieldError } from '../errors.ts';

const maxErrors = 20;

/**
 * zod's issues as `{path, message}`, the path prefixed by the part of the request (`query.limit`), body fields bare. Each
 * field that is unknown is named by itself, and one that is missing is said to be.
 */
export function fieldErrors(issues: readonly z.core.$ZodIssue[], part: string): FieldError[] {
  const errors = issues.slice(0, maxErrors).flatMap(issue => {
    if (issue.code !== 'unrecognized_keys') {
      return { path: pathOf(issue.path, part), message: isMissing(issue) ? 'is required' : issue.message };
    }
    return issue.keys
      .slice(0, maxErrors)
      .map(key => ({ path: pathOf([...issue.path, key], part), message: 'is not a known field' }));
  });
  return errors.slice(0, maxErrors);
}

const pathOf = (path: readonly PropertyKey[], part: string): string =>
  [...(part === 'body' ? [] : [part]), ...path.map(String)].join('.') || part;

/** zod tells it in its message alone: what came is not kept with an issue, since it may be a secret. */
const isMissing = ({ code, message, path }: z.core.$ZodIssue): boolean =>
  code === 'invalid_type' && path.length > 0 && message.endsWith('received undefined');

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
