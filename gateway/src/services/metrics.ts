import { serviceNames } from '@tradepost/shared/discovery';
import type { Registry } from '@tradepost/shared/observability/metrics';
import { Counter, Gauge } from 'prom-client';

export interface GatewayMetrics {
  /** Failed tries to get an answer from a service, by what went wrong. */
  upstreamFailures: Counter<'upstream' | 'reason'>;
  /** Tries that were made again on another instance. */
  retries: Counter<'upstream'>;
  /** 1 while the breaker of a service lets nothing through. */
  breakerOpen: Gauge<'upstream'>;
  /** Requests turned away because of load. */
  shed: Counter<'reason'>;
  inFlight: Gauge;
  rateLimited: Counter<'bucket'>;
  /** Catalogue reads that could be answered from memory: `hit`, `miss`, or `off` while changes are not heard of. */
  cacheReads: Counter<'result'>;
  /** Requests that passed uncounted because the shared store of the limits failed. */
  rateLimitStoreErrors: Counter;
}

const failureReasons = ['timeout', 'econnrefused', 'econnreset', 'other'] as const;

/** What went wrong with a try, as a label with few values. */
export type FailureReason = (typeof failureReasons)[number];

export function createMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry];
  const metrics: GatewayMetrics = {
    upstreamFailures: new Counter({
      name: 'gateway_upstream_failures_total',
      help: 'Tries that got no answer from a service',
      labelNames: ['upstream', 'reason'],
      registers,
    }),
    retries: new Counter({
      name: 'gateway_upstream_retries_total',
      help: 'Requests sent again to another instance',
      labelNames: ['upstream'],
      registers,
    }),
    breakerOpen: new Gauge({
      name: 'gateway_breaker_open',
      help: '1 while requests to the service are refused at once',
      labelNames: ['upstream'],
      registers,
    }),
    shed: new Counter({
      name: 'gateway_shed_total',
      help: 'Requests turned away because of load',
      labelNames: ['reason'],
      registers,
    }),
    inFlight: new Gauge({ name: 'gateway_in_flight', help: 'Requests being answered', registers }),
    rateLimited: new Counter({
      name: 'gateway_rate_limited_total',
      help: 'Requests over a rate limit',
      labelNames: ['bucket'],
      registers,
    }),
    rateLimitStoreErrors: new Counter({
      name: 'gateway_rate_limit_store_errors_total',
      help: 'Requests that passed uncounted because the store of the rate limits failed',
      registers,
    }),
    cacheReads: new Counter({
      name: 'gateway_cache_reads_total',
      help: 'Reads of the catalogue by whether they were answered from memory',
      labelNames: ['result'],
      registers,
    }),
  };
  // Shown before they happen for the first time, so that the first one is seen as a change.
  for (const upstream of serviceNames) {
    for (const reason of failureReasons) metrics.upstreamFailures.inc({ upstream, reason }, 0);
    metrics.retries.inc({ upstream }, 0);
  }
  for (const reason of ['in_flight', 'event_loop_delay']) metrics.shed.inc({ reason }, 0);
  for (const bucket of ['auth', 'api']) metrics.rateLimited.inc({ bucket }, 0);
  for (const result of ['hit', 'miss', 'off']) metrics.cacheReads.inc({ result }, 0);
  return metrics;
}
