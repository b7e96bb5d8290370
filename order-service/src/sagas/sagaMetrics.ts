import type { Clock } from '@tradepost/shared/clock';
import type { Registry } from '@tradepost/shared/observability/metrics';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { SagaModel } from '../models/saga.ts';
import { createOrderSaga, type SagaState } from './createOrderSaga.ts';

export interface SagaMetrics {
  timed<T>(state: SagaState, step: () => Promise<T>): Promise<T>;
  /** A saga has come to its end from this state. */
  finished(state: SagaState): void;
  failed(parked: boolean): void;
}

/** Counts and times what this process does, and shows the sagas of all instances, looked up when they are asked for. */
export function createSagaMetrics(registry: Registry, sagas: SagaModel, clock: Clock): SagaMetrics {
  const registers = [registry];
  const steps = new Histogram({
    name: 'saga_step_duration_seconds',
    help: 'Duration of a saga step in seconds, by the state it started from',
    labelNames: ['state', 'result'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const endings = new Counter({
    name: 'sagas_finished_total',
    help: 'Sagas at their end: confirmed, or compensated, with all that was taken given back',
    labelNames: ['outcome'],
    registers,
  });
  const failures = new Counter({
    name: 'saga_failures_total',
    help: 'Runs of sagas that ended with a failed step',
    labelNames: ['parked'],
    registers,
  });
  for (const state of Object.keys(createOrderSaga)) {
    for (const result of ['ok', 'error']) steps.zero({ state, result });
  }
  for (const outcome of ['confirmed', 'compensated']) endings.inc({ outcome }, 0);
  for (const parked of ['true', 'false']) failures.inc({ parked }, 0);

  const shown: [name: string, help: string, value: () => Promise<number>][] = [
    [
      'sagas_needing_attention',
      'Orders that wait for the operator',
      () => sagas.countDocuments({ status: 'needs_attention' }),
    ],
    [
      'sagas_running',
      'Orders that are being worked on or wait for it',
      () => sagas.countDocuments({ status: 'running' }),
    ],
    [
      'saga_overdue_seconds',
      'How long ago somebody should have gone on with the order that has waited longest',
      async () => {
        const longest = await sagas
          .findOne({ status: 'running' })
          .sort({ nextRunAt: 1 })
          .select({ nextRunAt: 1 })
          .lean();
        return longest ? Math.max(0, clock().getTime() - longest.nextRunAt.getTime()) / 1_000 : 0;
      },
    ],
  ];
  for (const [name, help, value] of shown) {
    new Gauge({
      ...{ name, help, registers },
      async collect() {
        this.set(await value().catch(() => Number.NaN));
      },
    });
  }
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
    finished: state => endings.inc({ outcome: state === 'cancelled' ? 'compensated' : 'confirmed' }),
    failed: parked => failures.inc({ parked: String(parked) }),
  };
}
