import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { childTraceparent, traceIdOf } from '../context.ts';
import { AppError, type ErrorCode, errorCatalogue } from '../errors.ts';
import { newId } from '../ids.ts';
import { isDatabaseUnavailable } from '../mongo.ts';
import { problemMembers } from './problemMembers.ts';

export const problemType = 'application/problem+json';

/** RFC 9457 problem details with our stable `code` and the ids of request and trace. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]),
    requestId: z.string(),
    traceId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    ...problemMembers,
  })
  .catchall(z.unknown())
  .meta({ id: 'Problem', description: 'RFC 9457 problem details; match on `code`, which never changes' });

export type Problem = z.infer<typeof problem>;

/** Body-parser's and the router's own errors carry a `type` or only a status. */
function codeOfHttpError(error: { status?: unknown; type?: unknown }): ErrorCode | undefined {
  if (error.type === 'entity.too.large' || error.status === 413) return 'payload_too_large';
  if (error.type === 'entity.parse.failed' || error.type === 'entity.verify.failed') return 'malformed_json';
  if (error.status === 415) return 'unsupported_media_type';
  if (error.status === 400) return 'invalid_request';
  return undefined;
}

/**
 * Turns whatever was thrown into an error of the catalogue. What is not known becomes `internal_error`, whose text says
 * nothing of the cause.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseUnavailable(error)) {
    return new AppError('service_unavailable', {
      retryAfter: 1,
      detail: 'The database is not available',
      cause: error,
    });
  }
  const code = error instanceof Error ? codeOfHttpError(error as { status?: unknown; type?: unknown }) : undefined;
  return new AppError(code ?? 'internal_error', { cause: error });
}

/** By which a request is found in logs and traces. */
export interface RequestIdentity {
  requestId: string;
  traceId: string;
}

/** An identity of its own, for what was refused before it got any. */
export const newIdentity = (): RequestIdentity => ({ requestId: newId(), traceId: traceIdOf(childTraceparent()) });

/** The problem document of an error. `instance` is the path that was asked for, without its query. */
export function toProblem(error: AppError, instance: string, { requestId, traceId }: RequestIdentity): Problem {
  const [status, title] = errorCatalogue[error.code];
  return {
    type: `urn:tradepost:error:${error.code}`,
    title,
    status,
    detail: error.message,
    instance,
    code: error.code,
    requestId,
    traceId,
    ...(error.extras.errors ? { errors: error.extras.errors } : {}),
    ...error.extras.members,
  };
}

/** Header fields that go with an error: Retry-After, WWW-Authenticate, Allow … */
export function headersOf(error: AppError): Record<string, string> {
  return {
    ...(error.extras.retryAfter === undefined ? {} : { 'Retry-After': String(Math.ceil(error.extras.retryAfter)) }),
    ...(error.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...error.extras.headers,
  };
}

/**
 * Answers with the problem of an error. Does nothing more than end the connection when an answer has already begun.
 * @param end writes the body and ends the answer
 */
export function sendProblem(
  response: ServerResponse,
  error: AppError,
  instance: string,
  identity: RequestIdentity,
  end: (body: string) => void = body => response.end(body),
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(toProblem(error, instance, identity));
  for (const [name, value] of Object.entries(headersOf(error))) response.setHeader(name, value);
  response.statusCode = error.status;
  response.setHeader('Content-Type', problemType);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('Cache-Control', 'no-store');
  end(body);
}
