import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import helmet from 'helmet';
import { currentContext, noteOrder } from '../context.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { httpHistogram, type Registry } from '../observability/metrics.ts';
import type { Tracer } from '../observability/span.ts';
import { authorize, type Verifiers } from './auth.ts';
import { ClientGone, maxBodyBytes, maxServiceBodyBytes, mediaType, readJson } from './body.ts';
import { type Health, healthRoutes } from './health.ts';
import { createPathMask } from './maskedPath.ts';
import { sendProblem, toAppError } from './problem.ts';
import { levelOf, requestScope } from './requestScope.ts';
import type { Answer, Route } from './route.ts';
import { validate } from './validate.ts';

export interface HttpAppOptions {
  routes: readonly Route[];
  verify: Verifiers;
  logger: Logger;
  registry: Registry;
  health: Health;
  /** Serves /metrics on this listener; the gateway has a listener of its own for it. */
  metrics: boolean;
  /** Makes a span of each request; none are made without it. */
  tracer?: Tracer | undefined;
  /** Paths beside those of `routes` whose words may be logged, for what is passed on. */
  paths?: readonly string[];
  /** Middleware before the routes, for the gateway's limits. */
  before?: readonly RequestHandler[];
  /** Middleware after the routes, for the gateway's proxy. */
  after?: readonly RequestHandler[];
}

const defaultDeadlineMs = 3_000;

/** Wires routes, health, metrics, logging and the one error mapper into an Express application. */
export function createHttpApp(options: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple').set('trust proxy', false);
  // One spelling per path, so that limits and rules by path hold for what a route answers.
  app.enable('case sensitive routing');
  const { logger, tracer, registry } = options;
  const maskPath = createPathMask([...options.routes.map(route => route.path), ...(options.paths ?? [])]);
  app.use(requestScope({ logger, histogram: httpHistogram(registry), tracer, maskPath }), securityHeaders());
  mountRoutes(app, options, healthRoutes(options.health));
  if (options.metrics) {
    app.get('/metrics', async (_request, response) => {
      response.type(options.registry.contentType).send(await options.registry.metrics());
    });
  }
  for (const middleware of options.before ?? []) app.use(middleware);
  mountRoutes(app, options, options.routes);
  for (const middleware of options.after ?? []) app.use(middleware);
  app.use(() => {
    throw new AppError('not_found', { detail: 'No such path' });
  });
  app.use(errorHandler(options.logger));
  return app;
}

/** What an API needs: its answers are data, which no browser should run, frame or guess the type of. */
const security = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
  },
  // For browsers that are no more, or pages that are none.
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
});

/** Sets what helmet would set: the same for every answer, so it is asked once. */
function securityHeaders(): RequestHandler {
  const fields = new Map<string, string>();
  const collect = {
    setHeader: (name: string, value: string) => void fields.set(name, value),
    removeHeader: () => {},
  } as unknown as ServerResponse;
  security({} as IncomingMessage, collect, () => {});
  return (_request, response, next) => {
    response.setHeaders(fields);
    next();
  };
}

function mountRoutes(app: Express, options: HttpAppOptions, all: readonly Route[]): void {
  for (const [path, routes] of Map.groupBy(all, route => route.path)) {
    const mounted = app.route(path);
    for (const route of routes) mounted[route.method]((request, response) => serve(route, options, request, response));
    const methods = routes.map(route => route.method.toUpperCase());
    const allow = [
      ...(methods.includes('GET') ? ['GET', 'HEAD'] : []),
      ...methods.filter(method => method !== 'GET'),
    ].join(', ');
    mounted.all(request => {
      throw new AppError('method_not_allowed', {
        detail: `${request.method} is not allowed here`,
        headers: { Allow: allow },
      });
    });
  }
}

type Named = { orderId?: unknown };

async function serve(route: Route, options: HttpAppOptions, request: Request, response: Response): Promise<void> {
  const { operation } = route;
  const actor = await authorize(route.access, request.headers.authorization, request.params, options.verify);
  if (actor) request.actorId = actor.id;
  if (operation.streamed && !operation.streamed.includes(mediaType(request))) {
    throw new AppError('unsupported_media_type', { detail: `Send one of ${operation.streamed.join(', ')}` });
  }
  const params = operation.params ? validate(operation.params, request.params, 'params') : request.params;
  const query = operation.query ? validate(operation.query, { ...request.query }, 'query') : refuseQuery(request);
  const maxBytes = route.access === 'service' ? maxServiceBodyBytes : maxBodyBytes;
  const body = operation.body ? validate(operation.body, await readJson(request, maxBytes), 'body') : undefined;
  noteOrder((params as Named).orderId ?? (body as Named | undefined)?.orderId);
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const work = route.controller({
    params,
    query,
    body,
    actor,
    requestId: currentContext()?.requestId ?? '',
    header: name => request.get(name),
    signal: gone.signal,
    stream: request,
    logger: options.logger,
  });
  await send(
    response,
    operation.streamed ? await work : await beforeDeadline(work, operation.deadlineMs ?? defaultDeadlineMs),
  );
}

function refuseQuery(request: Request): Record<string, never> {
  const [unknown] = Object.keys(request.query);
  if (unknown === undefined) return {};
  throw new AppError('invalid_request', { errors: [{ path: `query.${unknown}`, message: 'is not known here' }] });
}

/** Answers 504 when the work is not done in time; the work itself goes on and its outcome stays with its own records. */
async function beforeDeadline(work: Promise<Answer>, limitMs: number): Promise<Answer> {
  const deadline = currentContext()?.deadline;
  const ms = deadline === undefined ? limitMs : Math.min(limitMs, deadline - Date.now());
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('upstream_timeout', { retryAfter: 1 })), Math.max(0, ms));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function send(response: Response, answer: Answer): Promise<void> {
  response.status(answer.status);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'no-store');
  if (answer.stream) await pipeline(answer.stream, response);
  else if (answer.text !== undefined) response.type('json').end(answer.text);
  else if (answer.body === undefined) response.end();
  else response.json(answer.body);
}

/** The one place where errors become answers; what is our own fault is logged with its cause. */
function errorHandler(logger: Logger): ErrorRequestHandler {
  return (thrown, request, response, _next) => {
    if (thrown instanceof ClientGone) return;
    const error = toAppError(thrown);
    if (error.status >= 500 && (error !== thrown || error.cause !== undefined)) {
      logger[levelOf(error.status)]({ err: thrown, code: error.code }, 'request failed');
    }
    request.errorCode = error.code;
    const path = request.originalUrl.split('?', 1)[0] ?? '/';
    const identity = { requestId: head(response, 'X-Request-Id'), traceId: head(response, 'X-Trace-Id') };
    sendProblem(response, error, path, identity, body => endAfterRequest(request, response, body));
  };
}

const head = (response: Response, name: string): string => String(response.getHeader(name) ?? '');

const lingerMs = 1_000;

/**
 * Ends an answer. Where the request's body is still on its way, the answer is whole at once, but the connection is closed
 * only when the rest has come or a moment has passed: closing on unread bytes resets it, and the client loses the answer.
 */
function endAfterRequest(request: Request, response: Response, body: string): void {
  if (request.complete) {
    response.end(body);
    return;
  }
  response.setHeader('Connection', 'close');
  response.write(body);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, lingerMs);
  request.once('end', finish).once('close', finish).resume();
}
