import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import type { Clock } from '@tradepost/shared/clock';
import type { Discovery } from '@tradepost/shared/discovery';
import { AppError } from '@tradepost/shared/errors';
import type { VerifyToken } from '@tradepost/shared/http/auth';
import { createInstances } from '@tradepost/shared/http/instances';
import { deadlineHeader } from '@tradepost/shared/http/requestScope';
import type { Route } from '@tradepost/shared/http/route';
import { createHttpApp } from '@tradepost/shared/http/server';
import type { NewId } from '@tradepost/shared/ids';
import { untilAvailable } from '@tradepost/shared/lifecycle';
import type { Logger } from '@tradepost/shared/logger';
import type { EventBus } from '@tradepost/shared/messaging/eventBus';
import type { Registry } from '@tradepost/shared/observability/metrics';
import type { Tracer } from '@tradepost/shared/observability/span';
import { version } from '@tradepost/shared/service';
import type { RequestHandler } from 'express';
import type { GatewayConfig } from './config.ts';
import { createAssets } from './controllers/assets.ts';
import { createDashboardController } from './controllers/dashboardController.ts';
import { createPagesController } from './controllers/pagesController.ts';
import { isPlainPath } from './domain/path.ts';
import { gatewayRoutes } from './routes/gatewayRoutes.ts';
import { createAnswerCache } from './services/answerCache.ts';
import { createBreakers } from './services/breakers.ts';
import { createGatherDashboard } from './services/dashboard.ts';
import { createForwarder } from './services/forward.ts';
import { createIdentityCheck } from './services/identity.ts';
import { createLoadShedder } from './services/loadShedder.ts';
import { createMetrics } from './services/metrics.ts';
import { createRedisStores } from './services/rateLimitStores.ts';
import { createRateLimits } from './services/rateLimits.ts';
import { createServiceHealth } from './services/serviceHealth.ts';
import { createUpstreamProxy } from './services/upstreamProxy.ts';

export interface GatewayDependencies {
  discovery: Discovery;
  /** Tells of changes in the catalogue. */
  bus: Pick<EventBus, 'listen' | 'status'>;
  /** Checks users' tokens. */
  verify: VerifyToken;
  /** What keeps `verify` knowing of ended sessions; started and stopped with the gateway. */
  revocations?: { start(): Promise<void>; stop(): Promise<void> };
  /** The joined OpenAPI document. */
  openapi: object;
  /** Makes a span of each request; none are made without it. */
  tracer?: Tracer | undefined;
  logger: Logger;
  registry: Registry;
  clock: Clock;
  newId: NewId;
  /** Uniform in [0, 1), for jitter. */
  random: () => number;
}

export interface Gateway {
  routes: readonly Route[];
  /** The public listener. */
  listener: RequestListener;
  /** Serves /metrics, on a port that is not public. */
  metricsListener: RequestListener;
  /** Begins its work beside requests and resolves at once; services may come later, in any order. */
  start(): Promise<void>;
  /** Readiness off; requests are still answered. */
  leave(): void;
  /** Readiness off; running requests are waited for, at most 10 s. The listeners are closed by whoever opened them. */
  stop(): Promise<void>;
  /** Started, every service was ready once, and not stopping. */
  isReady(): boolean;
}

/** What the public listener needs beside its port. */
export const listenLimits = { keepAliveMs: 5_000, headersTimeoutMs: 10_000, maxConnections: 2_000 } as const;

const drainMs = 10_000;

/**
 * The joined OpenAPI document, as it was generated from all services' routes.
 * @throws when the file is missing or broken
 */
export const readOpenApi = (): object =>
  JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));

/** Wires the gateway. */
export function createGateway(dependencies: GatewayDependencies, config: GatewayConfig): Gateway {
  const { discovery, logger, registry, random } = dependencies;
  const stopping = new AbortController();
  let revocationsReady = dependencies.revocations === undefined;

  const metrics = createMetrics(registry);
  const breakers = createBreakers(config.BREAKER_RESET_MS, metrics);
  const proxy = createUpstreamProxy();
  const shedder = createLoadShedder(
    { maxInFlight: config.MAX_IN_FLIGHT, maxDelayMs: config.MAX_EVENT_LOOP_DELAY_MS },
    metrics,
  );
  const stores = config.REDIS_URL
    ? createRedisStores({ url: config.REDIS_URL, prefix: config.REDIS_PREFIX, random }, metrics, logger)
    : undefined;
  const identity = createIdentityCheck(dependencies.verify);
  const cache = createAnswerCache({ bus: dependencies.bus, config, metrics });
  const services = createServiceHealth(discovery);
  const routes = gatewayRoutes(
    createDashboardController(createGatherDashboard({ discovery, breakers })),
    createPagesController(dependencies.openapi),
  );
  let leaving = false;
  const isReady = () => revocationsReady && services.seenAll() && !leaving && !stopping.signal.aborted;

  const app = createHttpApp({
    routes,
    verify: { user: dependencies.verify, service: dependencies.verify },
    logger,
    registry,
    health: {
      service: 'gateway',
      version,
      startedAt: dependencies.clock(),
      isReady,
      required: {},
      optional: services.checks,
    },
    metrics: false,
    tracer: dependencies.tracer,
    paths: Object.keys((dependencies.openapi as { paths?: object }).paths ?? {}),
    before: [
      shedder.middleware,
      refuseOddPaths,
      identity.learn,
      createRateLimits({ config, userOf: identity.userOf, stores, metrics, logger }),
      identity.refuse,
      cache.middleware,
      createForwarder({ instances: createInstances(discovery), proxy, breakers, metrics, config }),
    ],
    after: [createAssets()],
  });
  app.set('trust proxy', config.TRUST_PROXY);

  return {
    routes,
    listener: (request, response) => {
      // Only a service may be told by its caller how long somebody waits.
      delete request.headers[deadlineHeader];
      app(request, response);
    },
    metricsListener: metricsListener(registry),
    isReady,
    async start() {
      shedder.start();
      stores?.start();
      services.start();
      const patiently = (what: string, work: () => Promise<void>) =>
        untilAvailable(work, { what, logger, random, signal: stopping.signal });
      void patiently('the news of the catalogue', cache.start);
      const { revocations } = dependencies;
      if (!revocations) return;
      void patiently('the list of ended sessions', () => revocations.start()).then(() => {
        revocationsReady = true;
      });
    },
    leave: () => {
      leaving = true;
    },
    async stop() {
      stopping.abort();
      await services.stop();
      await shedder.idle(drainMs);
      await Promise.all([dependencies.revocations?.stop(), cache.stop()]);
      shedder.stop();
      breakers.close();
      proxy.close();
      stores?.stop();
    },
  };
}

const refuseOddPaths: RequestHandler = (request, _response, next) => {
  if (!isPlainPath(request.path)) throw new AppError('invalid_request', { detail: 'The path is not plain' });
  next();
};

function metricsListener(registry: Registry): RequestListener {
  return async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Type', registry.contentType);
    response.end(await registry.metrics());
  };
}
