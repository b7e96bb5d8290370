import { currentContext } from '@tradepost/shared/context';
import { AppError } from '@tradepost/shared/errors';
import { ClientGone, collectBody, hasBody, maxBodyBytes } from '@tradepost/shared/http/body';
import type { Instances } from '@tradepost/shared/http/instances';
import { inSpan } from '@tradepost/shared/observability/tracing';
import type { Request, RequestHandler, Response } from 'express';
import type { GatewayConfig } from '../config.ts';
import { dropsFraming, requestHeadersFor } from '../domain/headers.ts';
import { type Upstream, upstreamOf } from '../domain/routingTable.ts';
import type { CacheLocals } from './answerCache.ts';
import type { Breakers } from './breakers.ts';
import type { FailureReason, GatewayMetrics } from './metrics.ts';
import { limitTime, TooSlow } from './timeLimit.ts';
import type { Exchange, UpstreamProxy } from './upstreamProxy.ts';

export interface ForwarderOptions {
  instances: Instances;
  proxy: UpstreamProxy;
  breakers: Breakers;
  metrics: GatewayMetrics;
  config: Pick<GatewayConfig, 'UPSTREAM_TIMEOUT_MS' | 'STREAM_IDLE_MS' | 'BODY_TIMEOUT_MS'>;
}

/** The service itself said that it took too long; its answer is passed on, and counts against it. */
class AnsweredTooLate extends Error {
  override name = 'AnsweredTooLate';
}

/** Hands requests of the routing table to their services; others go on to the next handler. */
export function createForwarder(options: ForwarderOptions): RequestHandler {
  return async (request, response, next) => {
    const upstream = upstreamOf(request.method, request.path);
    if (!upstream) {
      next();
      return;
    }
    request.routeTemplate = upstream.prefix;
    await forward(options, upstream, request, response);
  };
}

async function forward(
  options: ForwarderOptions,
  upstream: Upstream,
  request: Request,
  response: Response,
): Promise<void> {
  const { config, instances, metrics } = options;
  if (dropsFraming(request.headers)) {
    throw new AppError('invalid_request', { detail: 'Connection names a field that frames the request' });
  }
  const bodied = hasBody(request);
  const exchange: Exchange = { target: unknownTarget, hasAlternative: false, answered: false, over: false };
  const { onAnswer } = response.locals as CacheLocals;
  if (onAnswer) exchange.onAnswer = onAnswer;
  if (bodied && !upstream.streamed) {
    // A client that sends slowly would otherwise hold one of the few connections to the service for as long.
    exchange.body = await collectBody(request, { bytes: maxBodyBytes, timeoutMs: config.BODY_TIMEOUT_MS });
    delete request.headers['transfer-encoding'];
    request.headers['content-length'] = String(exchange.body.length);
  }
  describeHop(request);
  const late = Promise.withResolvers<never>();
  const ms = upstream.streamed ? config.STREAM_IDLE_MS : (upstream.deadlineMs ?? config.UPSTREAM_TIMEOUT_MS);
  limitTime(request, response, exchange, { ms, streamed: upstream.streamed }, late.reject);
  response.once('close', () => {
    if (!exchange.answered) late.reject(new ClientGone());
  });
  late.promise.catch(() => {});
  const addresses = instances.of(upstream.service);
  const repeatable = isRepeatable(request, upstream, bodied);
  for (let tries = 0; ; tries += 1) {
    const address = addresses[tries] ?? addresses[0];
    if (!address) throw unavailable(upstream);
    exchange.target = new URL(address);
    exchange.hasAlternative = tries === 0 && repeatable && addresses.length > 1;
    try {
      const status = await options.breakers.run(upstream.service, async () => {
        const status = await traced(upstream, request, () =>
          Promise.race([options.proxy.send(request, response, exchange), late.promise]),
        );
        if (status === 504) throw new AnsweredTooLate();
        return status;
      });
      // An instance that has just started, or lost its database, is not all of the service.
      if (status !== 503 || !exchange.hasAlternative) return;
      instances.failed(address);
      metrics.retries.inc({ upstream: upstream.service });
    } catch (error) {
      if (error instanceof AnsweredTooLate) return;
      if (error instanceof ClientGone || error instanceof AppError) throw error;
      if (response.closed) throw new ClientGone();
      metrics.upstreamFailures.inc({ upstream: upstream.service, reason: reasonOf(error) });
      instances.failed(address);
      if (error instanceof TooSlow) throw tooLate(upstream, request, error);
      if (tries > 0 || exchange.answered || !(repeatable || neverSent(upstream, error)))
        throw unavailable(upstream, error);
      metrics.retries.inc({ upstream: upstream.service });
    }
  }
}

const unknownTarget = new URL('http://unknown.invalid');

/** One try as a span, which the service's own spans continue. */
function traced(upstream: Upstream, request: Request, send: () => Promise<number>): Promise<number> {
  const { method } = request;
  const attributes = {
    ...{ 'http.request.method': method, 'url.template': upstream.prefix, 'server.address': upstream.service },
  };
  return inSpan(`${method} ${upstream.service}`, { kind: 'client', attributes }, async () => {
    const { span, traceparent = '' } = currentContext() ?? {};
    request.headers.traceparent = traceparent;
    const status = await send();
    span?.set({ 'http.response.status_code': status });
    return status;
  });
}

function describeHop(request: Request): void {
  const context = currentContext();
  const hop = {
    ip: request.ip ?? '',
    protocol: request.protocol,
    requestId: context?.requestId ?? '',
    traceparent: context?.traceparent ?? '',
  };
  request.headers = requestHeadersFor(hop, request.headers);
}

const unavailable = (upstream: Upstream, cause?: unknown) =>
  new AppError('service_unavailable', { detail: `${upstream.service} is not available`, retryAfter: 1, cause });

/** A request that is still arriving is the client's delay, all others the service's. */
const tooLate = (upstream: Upstream, request: Request, cause: unknown) =>
  request.complete
    ? new AppError('upstream_timeout', { detail: `${upstream.service} did not answer in time`, retryAfter: 1, cause })
    : new AppError('request_timeout', { cause });

/** What may reach a service twice: a look, or what the client itself may repeat by its key. */
const isRepeatable = (request: Request, upstream: Upstream, bodied: boolean): boolean =>
  upstream.keyed
    ? request.headers['idempotency-key'] !== undefined
    : !bodied && (request.method === 'GET' || request.method === 'HEAD');

/** Nobody took the connection, so nothing can have happened; a body that streams is gone nevertheless. */
const neverSent = (upstream: Upstream, error: unknown): boolean =>
  !upstream.streamed && (error as { code?: unknown }).code === 'ECONNREFUSED';

function reasonOf(error: unknown): FailureReason {
  if (error instanceof TooSlow) return 'timeout';
  const { code } = error as { code?: unknown };
  if (code === 'ECONNREFUSED') return 'econnrefused';
  return code === 'ECONNRESET' ? 'econnreset' : 'other';
}
