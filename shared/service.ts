import type { RequestListener } from 'node:http';
import type { Connection } from 'mongoose';
import type { Clock } from './clock.ts';
import type { Discovery } from './discovery.ts';
import type { Verifiers } from './http/auth.ts';
import type { Check, Health } from './http/health.ts';
import type { Route } from './http/route.ts';
import { createHttpApp } from './http/server.ts';
import type { NewId } from './ids.ts';
import type { Logger } from './logger.ts';
import type { EventBus } from './messaging/eventBus.ts';
import { buildIndexes } from './mongo.ts';
import type { Registry } from './observability/metrics.ts';
import { showPool } from './observability/mongoPool.ts';
import type { Tracer } from './observability/span.ts';

/** What a service is made of; `local/` and tests hand in other parts than `index.ts` does. */
export interface ServiceDependencies {
  connection: Connection;
  bus: EventBus;
  discovery: Discovery;
  /** Makes tokens for calls to other services. */
  signToken: (callee: string) => string;
  verify: Verifiers;
  logger: Logger;
  registry: Registry;
  /** Makes the service's spans; none are made without it. */
  tracer?: Tracer | undefined;
  clock: Clock;
  newId: NewId;
  /** Uniform in [0, 1), for jitter. */
  random: () => number;
}

/** A wired service: its listener, and what runs beside it. */
export interface Service {
  name: string;
  routes: readonly Route[];
  listener: RequestListener;
  /** Builds indexes, subscribes and starts workers; ready afterwards. Rejects when a dependency is not there; may be repeated. */
  start(): Promise<void>;
  /** Readiness off; requests are still answered and all work goes on. */
  leave(): void;
  /** Readiness off, workers and consumers stopped; running work is waited for. */
  stop(): Promise<void>;
}

export interface ServiceParts {
  name: string;
  routes: readonly Route[];
  /** Begins subscriptions and workers, after the indexes are there. */
  start(): Promise<void>;
  /** Ends them in the same order as they must not outlive each other. */
  stop(): Promise<void>;
}

export const version = '0.1.0';

/** Puts a service's routes behind the common HTTP application and gives it health and a life. */
export function wireService(parts: ServiceParts, dependencies: ServiceDependencies): Service {
  const { connection, bus } = dependencies;
  showPool(connection, dependencies.registry);
  let state: 'starting' | 'ready' | 'stopping' = 'starting';
  const health: Health = {
    service: parts.name,
    version,
    startedAt: dependencies.clock(),
    isReady: () => state === 'ready',
    required: { database: () => pingDatabase(connection) },
    optional: { broker: () => ({ status: bus.status() }) },
  };
  return {
    name: parts.name,
    routes: parts.routes,
    listener: createHttpApp({
      routes: parts.routes,
      verify: dependencies.verify,
      logger: dependencies.logger,
      registry: dependencies.registry,
      health,
      metrics: true,
      tracer: dependencies.tracer,
    }),
    async start() {
      await buildIndexes(connection);
      await parts.start();
      if (state === 'starting') state = 'ready';
    },
    leave: () => {
      state = 'stopping';
    },
    async stop() {
      state = 'stopping';
      await parts.stop();
    },
  };
}

async function pingDatabase(connection: Connection): Promise<Check> {
  await connection.db?.command({ ping: 1 });
  return { status: connection.db ? 'up' : 'down' };
}
