import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import type { Histogram } from 'prom-client';
import { type RequestContext, traceIdOf, withContext } from '../context.ts';
import type { Logger } from '../logger.ts';
import { methodLabel } from '../observability/metrics.ts';
import type { Tracer } from '../observability/span.ts';
import { beginTrace } from '../observability/tracing.ts';

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
    /** Whose good token came with it: the id of a user, or a service's name. */
    actorId?: string;
  }
}

export interface RequestScopeOptions {
  logger: Logger;
  histogram: Histogram<'method' | 'route' | 'status'>;
  tracer: Tracer | undefined;
  /** The path as it may be logged. */
  maskPath(path: string): string;
}

/**
 * Gives each request its id, trace and deadline, logs it once when it is answered, and measures it by route template.
 */
export function requestScope({ logger, histogram, tracer, maskPath }: RequestScopeOptions): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    const requestId = requestIdOf(request);
    request.headers['x-request-id'] = requestId;
    const path = pathOf(request);
    const isQuiet = quiet.test(path);
    const named = orderIn(path);
    const method = methodLabel(request.method);
    const waits = Number(request.get(deadlineHeader));
    const context: RequestContext = {
      requestId,
      ...beginTrace(isQuiet ? undefined : tracer, method, {
        kind: 'server',
        parent: request.get('traceparent'),
        attributes: { 'http.request.method': method },
      }),
      ...(named ? { orderId: named } : {}),
      ...(waits > 0 ? { deadline: Date.now() + Math.min(waits, 60_000) } : {}),
    };
    const traceId = traceIdOf(context.traceparent);
    // A pipeline alone listens seven times for the end of an answer.
    response.setMaxListeners(30);
    response.setHeader('X-Request-Id', requestId);
    response.setHeader('X-Trace-Id', traceId);
    response.once('close', () => {
      const ms = performance.now() - started;
      // 499: the client left before the end of its answer.
      const status = response.writableFinished ? response.statusCode : 499;
      const route = templateOf(request);
      histogram.observe({ method, route, status: String(status) }, ms / 1000);
      endSpan(context, `${method} ${route}`, route, status, request.errorCode);
      if (isQuiet) return;
      const orderId = context.orderId ?? orderIn(response.getHeader('Location'));
      const line = {
        ...{ requestId, traceId, ...(orderId ? { orderId } : {}) },
        ...(request.actorId ? { actorId: request.actorId } : {}),
        ...{ method: request.method, path: maskPath(path), status, durationMs: Math.round(ms) },
        ...(request.errorCode ? { code: request.errorCode } : {}),
      };
      logger[levelOf(status)](line, 'request');
    });
    withContext(context, next);
  };
}

/** An error is what somebody has to look into; that another part is away for a while is a warning, told once there. */
export const levelOf = (status: number): 'error' | 'warn' | 'info' =>
  status < 500 ? 'info' : status >= 502 && status <= 504 ? 'warn' : 'error';

function endSpan({ span }: RequestContext, name: string, route: string, status: number, code: string | undefined) {
  if (!span) return;
  span.rename(name);
  span.set({ 'http.route': route, 'http.response.status_code': status });
  if (status >= 500) span.fail(code ?? String(status));
  span.end();
}

/** The id that came with the request when it is valid, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && validRequestId.test(given) ? given : randomUUID();
}

/** The order that a path of the API is about. */
const orderIn = (path: unknown): string | undefined =>
  typeof path === 'string'
    ? /^\/api\/orders\/([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})(?:\/|$)/.exec(path)?.[1]
    : undefined;

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
