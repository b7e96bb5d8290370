import type { Registry } from '@tradepost/shared/observability/metrics';
import { Counter, Gauge, Histogram } from 'prom-client';

export function createPaymentMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    results: new Counter({
      name: 'payments_total',
      help: 'Payments by what became of them; a refund counts each time',
      labelNames: ['result'] as const,
      registers,
    }),
    unresolved: new Gauge({
      name: 'payments_unresolved',
      help: 'Payments that have waited too long for the provider and are listed for the operator',
      registers,
    }),
    contradictions: new Counter({
      name: 'payment_contradictions_total',
      help: 'Events of the provider that contradict what was recorded; the audit names the payments',
      registers,
    }),
    providerSeconds: new Histogram({
      name: 'payment_provider_duration_seconds',
      help: 'Time of a call to the payment provider by what it asks and how it ended, in seconds',
      labelNames: ['operation', 'outcome'] as const,
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 6, 10],
      registers,
    }),
  };
  for (const result of ['captured', 'declined', 'refunded', 'void']) metrics.results.inc({ result }, 0);
  for (const operation of ['charge', 'refund']) metrics.providerSeconds.zero({ operation, outcome: 'answered' });
  return metrics;
}

export type PaymentMetrics = ReturnType<typeof createPaymentMetrics>;
