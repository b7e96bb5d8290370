import { systemClock } from '@tradepost/shared/clock';
import type { Discovery } from '@tradepost/shared/discovery';
import {
  createAccessTokenVerifier,
  createServiceTokenSigner,
  createServiceTokenVerifier,
} from '@tradepost/shared/http/auth';
import { createServiceClient } from '@tradepost/shared/http/client';
import { newId } from '@tradepost/shared/ids';
import type { Logger } from '@tradepost/shared/logger';
import type { EventBus } from '@tradepost/shared/messaging/eventBus';
import { observeBus } from '@tradepost/shared/messaging/observedBus';
import type { Registry } from '@tradepost/shared/observability/metrics';
import type { Tracing } from '@tradepost/shared/observability/tracing';
import { createRevocations, loadRevocations, type Revocations } from '@tradepost/shared/revocations';
import type { ServiceDependencies } from '@tradepost/shared/service';

export interface PartsOptions {
  bus: EventBus;
  discovery: Discovery;
  /** Where user-service publishes the keys of users' tokens. */
  jwksUri: string;
  /** Signs the calls between services. */
  secret: string;
  loggerOf: (name: string) => Logger;
  tracing: Tracing | undefined;
}

/** What all services of the process share, and what each has for itself. */
export interface Parts {
  /** Which sessions have ended; started with the gateway. */
  revocations: Revocations;
  dependenciesOf(name: string, registry: Registry): Omit<ServiceDependencies, 'connection'>;
}

export function createParts({ bus, discovery, jwksUri, secret, loggerOf, tracing }: PartsOptions): Parts {
  const [clock, random] = [systemClock, Math.random];
  const signerOf = (name: string) => createServiceTokenSigner(name, secret, clock);
  const userService = createServiceClient({
    ...{ discovery, random, callee: 'user-service' },
    signToken: signerOf('gateway'),
  });
  const revocations = createRevocations({
    bus,
    clock,
    logger: loggerOf('gateway'),
    load: loadRevocations(userService),
  });
  const user = createAccessTokenVerifier({ jwksUri, isRevoked: revocations.isRevoked });
  return {
    revocations,
    dependenciesOf(name, registry) {
      const [logger, tracer] = [loggerOf(name), tracing?.tracerOf(name)];
      return {
        ...{ discovery, clock, newId, random, registry, logger, tracer },
        bus: observeBus(bus, logger, tracer),
        signToken: signerOf(name),
        verify: { user, service: createServiceTokenVerifier(name, secret) },
      };
    },
  };
}
