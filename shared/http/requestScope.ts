import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import type { Histogram } from 'prom-client';
import { childTraceparent, currentContext, traceIdOf, withContext } from '../context.ts';
import type { Logger } from '../logger.ts';

/** Milliseconds that the caller will still wait, sent from hop to hop. A duration, so that clocks need not agree. */
export const deadlineHeader = 'x-request-deadline';

const validRequestId = /^[\w.:-]{1,128}$/;
const quiet = /^\/(health(\/|$)|metrics$)/;

declare module 'express-serve-static-core' {
  interface Request {
    /** The route's template where the router does not know it, as for proxied requests. */
    routeTemplate?: string;
    /** Code of the problem that was answered. */
    errorCode?: string;
  }
}

/**
 * Gives each request its id, trace and deadline, logs it once when it is answered, and measures it by route template.
 */
export function requestScope(logger: Logger, histogram: Histogram<'method' | 'route' | 'status'>): RequestHandler {
  // Nothing in these lines is secret, and looking for secrets costs more than all the rest of a line.
  const lines = logger.child({}, { redact: [] });
  return (request, response, next) => {
    const started = performance.now();
    const requestId = requestIdOf(request);
    request.headers['x-request-id'] = requestId;
    const traceparent = childTraceparent(request.get('traceparent'));
    const traceId = traceIdOf(traceparent);
    // A pipeline alone listens seven times for the end of an answer.
    response.setMaxListeners(30);
    response.setHeader('X-Request-Id', requestId);
    response.setHeader('X-Trace-Id', traceId);
    response.once('close', () => {
      const ms = performance.now() - started;
      // 499: the client left before the end of its answer.
      const status = response.writableFinished ? response.statusCode : 499;
      histogram.observe({ method: request.method, route: templateOf(request), status: String(status) }, ms / 1000);
      const path = pathOf(request);
      if (quiet.test(path)) return;
      const line = { requestId, traceId, method: request.method, path, status, durationMs: Math.round(ms) };
      const code = request.errorCode ? { code: request.errorCode } : {};
      lines[status >= 500 ? 'error' : 'info']({ ...line, ...code }, 'request');
    });
    const waits = Number(request.get(deadlineHeader));
    const deadline = waits > 0 ? { deadline: Date.now() + Math.min(waits, 60_000) } : {};
    withContext({ requestId, traceparent, ...deadline }, next);
  };
}

/** A logger that names the current request in each line. */
export function requestLogger(logger: Logger): Logger {
  const context = currentContext();
  return context ? logger.child({ requestId: context.requestId, traceId: traceIdOf(context.traceparent) }) : logger;
}

/** The id that came with the request when it is valid, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && validRequestId.test(given) ? given : randomUUID();
}

/** The path without its query, which may hold personal data. */
function pathOf(request: Request): string {
  const url = request.originalUrl;
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/** The route's template, so that the label has few values; proxied requests set their own. */
function templateOf(request: Request): string {
  const route = request.routeTemplate ?? request.route?.path;
  return typeof route === 'string' ? route : 'unmatched';
}
