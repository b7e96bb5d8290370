import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServiceName } from '../discovery.ts';

export type CallOutcome = 'answered' | 'late' | 'unavailable' | 'refused_by_breaker';

/** Measures the calls to one service. */
export interface ClientMetrics {
  /** @param ms milliseconds of the whole call with its retries */
  called(outcome: CallOutcome, ms: number): void;
  retried(): void;
  breaker(isOpen: boolean): void;
}

const outcomes: readonly CallOutcome[] = ['answered', 'late', 'unavailable', 'refused_by_breaker'];

/** The clients of a process share the registry and differ by their callee. Measures nothing without a registry. */
export function createClientMetrics(registry: Registry | undefined, callee: ServiceName): ClientMetrics {
  if (!registry) return { called: () => {}, retried: () => {}, breaker: () => {} };
  const { calls, seconds, retries, open } = metricsOf(registry);
  for (const outcome of outcomes) calls.inc({ callee, outcome }, 0);
  seconds.zero({ callee });
  retries.inc({ callee }, 0);
  open.set({ callee }, 0);
  return {
    called(outcome, ms) {
      calls.inc({ callee, outcome });
      if (outcome !== 'refused_by_breaker') seconds.observe({ callee }, ms / 1_000);
    },
    retried: () => retries.inc({ callee }),
    breaker: isOpen => open.set({ callee }, isOpen ? 1 : 0),
  };
}

type Metrics = ReturnType<typeof makeMetrics>;

const made = new WeakMap<Registry, Metrics>();

function metricsOf(registry: Registry): Metrics {
  const known = made.get(registry) ?? makeMetrics(registry);
  made.set(registry, known);
  return known;
}

function makeMetrics(registry: Registry) {
  const registers = [registry];
  return {
    calls: new Counter({
      name: 'service_client_calls_total',
      help: 'Calls to another service with all their tries, by what became of them',
      labelNames: ['callee', 'outcome'] as const,
      registers,
    }),
    seconds: new Histogram({
      name: 'service_client_duration_seconds',
      help: 'Time of a call to another service with all its tries, in seconds',
      labelNames: ['callee'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
      registers,
    }),
    retries: new Counter({
      name: 'service_client_retries_total',
      help: 'Tries beyond the first one of a call',
      labelNames: ['callee'] as const,
      registers,
    }),
    open: new Gauge({
      name: 'service_client_breaker_open',
      help: '1 while calls to the service are refused at once',
      labelNames: ['callee'] as const,
      registers,
    }),
  };
}
