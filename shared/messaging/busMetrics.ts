import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type DeliveryOutcome = 'handled' | 'retried' | 'dead_lettered' | 'missed';

export interface BusMetrics {
  /** Shows what can come of the messages of a queue, all at zero until it does. */
  open(queue: string, outcomes: readonly DeliveryOutcome[]): void;
  /**
   * Counts one delivery of a message.
   * @param queue its queue, or `listener.<key>`
   * @param handlingMs how long the handler took
   * @param lagMs from the moment the message tells of until its handler began; undefined when it could not be read
   */
  observe(queue: string, outcome: DeliveryOutcome, handlingMs: number, lagMs: number | undefined): void;
  /** Shows whether the bus is there and how many dead letters wait, both looked up when they are asked for. */
  watch(bus: WatchedBus): void;
}

export interface WatchedBus {
  isUp(): boolean;
  /** How many dead letters wait, by the service whose they are. */
  countDeadLetters(): Promise<ReadonlyMap<string, number>>;
}

/** Deliveries per queue and outcome, handling time and lag. Measures nothing without a registry. */
export function createBusMetrics(registry: Registry | undefined): BusMetrics {
  if (!registry) return { open: () => {}, observe: () => {}, watch: () => {} };
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
    open(queue, outcomes) {
      for (const outcome of outcomes) deliveries.inc({ queue, outcome }, 0);
      handling.zero({ queue });
      lag.zero({ queue });
    },
    observe(queue, outcome, handlingMs, lagMs) {
      deliveries.inc({ queue, outcome });
      handling.observe({ queue }, handlingMs / 1_000);
      if (lagMs !== undefined) lag.observe({ queue }, Math.max(0, lagMs) / 1_000);
    },
    watch: bus => watchBus(bus, registers),
  };
}

const lookLimitMs = 1_000;

function watchBus(bus: WatchedBus, registers: Registry[]): void {
  new Gauge({
    name: 'bus_up',
    help: '1 while messages can be published and consumed',
    registers,
    collect() {
      this.set(bus.isUp() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'bus_dead_letters',
    help: 'Messages that failed for good and wait for the operator, by the service that could not handle them',
    labelNames: ['consumer'],
    registers,
    async collect() {
      // A broker that stands still may not hold up the answer with all other measurements.
      const late = sleep(lookLimitMs, undefined, { ref: false });
      const counts = await Promise.race([bus.countDeadLetters(), late]).catch(() => undefined);
      this.reset();
      for (const [consumer, count] of counts ?? []) this.set({ consumer }, count);
    },
  });
}
