import { hostname } from 'node:os';
import type { z } from 'zod';
import { systemClock } from './clock.ts';
import { ConfigError, type commonSettings, staticAddresses } from './config.ts';
import { consulDiscovery, type Registration, register } from './consul.ts';
import { type Discovery, staticDiscovery } from './discovery.ts';
import { dnsDiscovery } from './dnsDiscovery.ts';
import { createAccessTokenVerifier, createServiceTokenSigner, createServiceTokenVerifier } from './http/auth.ts';
import { createServiceClient } from './http/client.ts';
import { newId } from './ids.ts';
import { createLogger, type Logger } from './logger.ts';
import { durableQueues } from './messaging/durableQueues.ts';
import { observeBus } from './messaging/observedBus.ts';
import { createRabbitBus } from './messaging/rabbitBus.ts';
import { createRegistry } from './observability/metrics.ts';
import type { Tracing } from './observability/tracing.ts';
import { createRevocations, loadRevocations } from './revocations.ts';
import type { ServiceDependencies } from './service.ts';

export type CommonConfig = z.infer<z.ZodObject<typeof commonSettings>>;

export interface ProcessParts extends Omit<ServiceDependencies, 'connection'> {
  /** Keeps `verify.user` knowing of sessions that ended. */
  revocations: ReturnType<typeof createRevocations>;
  /** Announces the instance to the others, once it listens, and to what collects its metrics, at `port` unless it says another. */
  announce(port: number, metricsPort?: number): Registration;
}

/**
 * The parts that every process of the shop is made of, on RabbitMQ, with Consul or fixed addresses.
 * @throws ConfigError when neither Consul nor the address of user-service is set
 */
export function openProcessParts(name: string, common: CommonConfig, tracing?: Tracing): ProcessParts {
  if (!common.CONSUL_URL && !common.USER_SERVICE_URL) {
    throw new ConfigError('USER_SERVICE_URL: is not set, and neither is CONSUL_URL');
  }
  const logger = createLogger(name, common.LOG_LEVEL);
  const tracer = tracing?.tracerOf(name);
  const registry = createRegistry(name, { processMetrics: true });
  const clock = systemClock;
  const rabbit = createRabbitBus({
    ...{ name, clock, logger, registry, random: Math.random },
    url: common.RABBITMQ_URL,
    quorumSize: common.RABBITMQ_QUORUM_SIZE,
    queues: durableQueues,
  });
  const bus = observeBus(rabbit, logger, tracer);
  const discovery = discoveryOf(common, logger);
  const signToken = createServiceTokenSigner(name, common.SERVICE_TOKEN_SECRET, clock);
  const userService = createServiceClient({
    callee: 'user-service',
    discovery,
    signToken,
    random: Math.random,
    registry,
  });
  const revocations = createRevocations({ bus, clock, logger, load: loadRevocations(userService) });
  const keySetUri = (): string | undefined => {
    const [instance] = discovery.instances('user-service');
    return instance && `${instance}/.well-known/jwks.json`;
  };
  return {
    ...{ bus, discovery, signToken, logger, registry, tracer, clock, newId, revocations, random: Math.random },
    verify: {
      user: createAccessTokenVerifier({ jwksUri: undefined, keySetUri, isRevoked: revocations.isRevoked }),
      service: createServiceTokenVerifier(name, common.SERVICE_TOKEN_SECRET),
    },
    announce(port, metricsPort = port) {
      if (!common.CONSUL_URL) return { deregister: async () => {} };
      const address = common.ADVERTISE_HOST ?? hostname();
      return register({ url: common.CONSUL_URL, name, address, port, metricsPort, logger });
    },
  };
}

function discoveryOf(common: CommonConfig, logger: Logger): Discovery {
  if (common.CONSUL_URL) return consulDiscovery({ url: common.CONSUL_URL, logger });
  const addresses = staticAddresses(common);
  const refreshMs = common.DNS_REFRESH_MS;
  return refreshMs > 0 ? dnsDiscovery({ addresses, refreshMs, logger }) : staticDiscovery(addresses);
}
