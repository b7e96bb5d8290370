import type { Registry } from '@tradepost/shared/observability/metrics';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { RecordedEvent } from '../domain/events.ts';
import type { SagaModel } from '../models/saga.ts';
import type { SagaState } from './createOrderSaga.ts';

export interface SagaMetrics {
  timed<T>(state: SagaState, step: () => Promise<T>): Promise<T>;
  appended(events: readonly RecordedEvent[]): void;
  failed(parked: boolean): void;
}

export function createSagaMetrics(registry: Registry, sagas: SagaModel): SagaMetrics {
  const steps = new Histogram({
    name: 'saga_step_duration_seconds',
    help: 'Duration of a saga step in seconds, by the state it started from',
    labelNames: ['state', 'result'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const orders = new Counter({
    name: 'order_events_total',
    help: 'Events appended to orders, by type and cause of a cancellation',
    labelNames: ['type', 'cause'],
    registers: [registry],
  });
  const failures = new Counter({
    name: 'saga_failures_total',
    help: 'Runs of sagas that ended with a failed step',
    labelNames: ['parked'],
    registers: [registry],
  });
  new Gauge({
    name: 'sagas_needing_attention',
    help: 'Orders that wait for the operator',
    registers: [registry],
    async collect() {
      this.set(await sagas.countDocuments({ status: 'needs_attention' }).catch(() => Number.NaN));
    },
  });
  return {
    async timed(state, step) {
      const end = steps.startTimer({ state });
      try {
        const result = await step();
        end({ result: 'ok' });
        return result;
      } catch (error) {
        end({ result: 'error' });
        throw error;
      }
    },
    appended(events) {
      for (const event of events)
        orders.inc({ type: event.type, cause: event.type === 'OrderCancelled' ? event.data.cause : '' });
    },
    failed: parked => failures.inc({ parked: String(parked) }),
  };
}
