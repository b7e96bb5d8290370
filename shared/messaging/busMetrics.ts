import { Counter, Histogram, type Registry } from 'prom-client';

export type DeliveryOutcome = 'handled' | 'retried' | 'dead_lettered' | 'missed';

export interface BusMetrics {
  /**
   * Counts one delivery of a message.
   * @param queue its queue, or `listener.<key>`
   * @param handlingMs how long the handler took
   * @param lagMs from the moment the message tells of until its handler began; undefined when it could not be read
   */
  observe(queue: string, outcome: DeliveryOutcome, handlingMs: number, lagMs: number | undefined): void;
}

/** Deliveries per queue and outcome, handling time and lag. Measures nothing without a registry. */
export function createBusMetrics(registry: Registry | undefined): BusMetrics {
  if (!registry) return { observe: () => {} };
  const registers = [registry];
  const deliveries = new Counter({
    name: 'bus_deliveries_total',
    help: 'Messages given to a handler, by queue and by what came of it',
    labelNames: ['queue', 'outcome'],
    registers,
  });
  const handling = new Histogram({
    name: 'bus_handling_seconds',
    help: 'Time that handlers took, in seconds',
    labelNames: ['queue'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30],
    registers,
  });
  const lag = new Histogram({
    name: 'bus_lag_seconds',
    help: 'Time from what a message tells of until its handler began, in seconds',
    labelNames: ['queue'],
    buckets: [0.01, 0.05, 0.2, 1, 5, 30, 120, 600],
    registers,
  });
  return {
    observe(queue, outcome, handlingMs, lagMs) {
      deliveries.inc({ queue, outcome });
      handling.observe({ queue }, handlingMs / 1_000);
      if (lagMs !== undefined) lag.observe({ queue }, Math.max(0, lagMs) / 1_000);
    },
  };
}
