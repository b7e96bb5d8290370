import { type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import { AppError } from '@tradepost/shared/errors';
import { ClientGone } from '@tradepost/shared/http/body';
import CircuitBreaker from 'opossum';
import type { GatewayMetrics } from './metrics.ts';

/** One try to get the head of an answer; settles when it is there or known not to come. */
export type Try<T> = () => Promise<T>;

/** One breaker per service. A call is over when the head of its answer is there; the body streams outside. */
export interface Breakers {
  /** @throws AppError `service_unavailable` at once while the breaker is open; else whatever the try throws */
  run<T>(service: ServiceName, work: Try<T>): Promise<T>;
  close(): void;
}

const volumeThreshold = 20;

/**
 * Breakers that open when more than half of at least 20 tries within 10 s failed, and let one try through after
 * `resetMs`. Any answer that came counts as success, but for one that only came because time was up.
 */
export function createBreakers(resetMs: number, metrics: GatewayMetrics): Breakers {
  const make = (service: ServiceName) => {
    const breaker: CircuitBreaker<[Try<unknown>], unknown> = new CircuitBreaker(work => work(), {
      timeout: false,
      errorThresholdPercentage: 50,
      volumeThreshold,
      rollingCountTimeout: 10_000,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      resetTimeout: resetMs,
      // A client that left says nothing of the service. But a probe must end one way or the other; a probe whose client left proved nothing, so the breaker opens again.
      errorFilter: (error: unknown) => error instanceof ClientGone && !breaker.halfOpen,
    });
    metrics.breakerOpen.set({ upstream: service }, 0);
    breaker.on('open', () => metrics.breakerOpen.set({ upstream: service }, 1));
    breaker.on('close', () => metrics.breakerOpen.set({ upstream: service }, 0));
    return breaker;
  };
  const breakers = new Map(serviceNames.map(service => [service, make(service)]));
  return {
    async run<T>(service: ServiceName, work: Try<T>): Promise<T> {
      try {
        return (await breakers.get(service)?.fire(work)) as T;
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'EOPENBREAKER') throw error;
        throw new AppError('service_unavailable', {
          detail: `${service} has failed too often and is left alone for a moment`,
          retryAfter: resetMs / 1000,
        });
      }
    },
    close: () => {
      for (const breaker of breakers.values()) breaker.shutdown();
    },
  };
}
