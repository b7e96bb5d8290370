import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@tradepost/shared/errors';
import type { RequestHandler } from 'express';
import type { GatewayMetrics } from './metrics.ts';

export interface LoadShedder {
  /** Turns requests away with 503 while there are too many, or while the event loop cannot keep up. */
  middleware: RequestHandler;
  start(): void;
  /** Resolves when no request is being answered any more, at the latest after `graceMs`. */
  idle(graceMs: number): Promise<void>;
  stop(): void;
}

export interface LoadLimits {
  maxInFlight: number;
  /** Mean delay of the event loop over the window, in milliseconds. */
  maxDelayMs: number;
}

type DelayHistogram = ReturnType<typeof monitorEventLoopDelay>;

const sampleMs = 1_000;
const windowSamples = 5;

/**
 * Keeps what is admitted fast under overload: the rest is answered at once, so that clients can go elsewhere or wait.
 */
export function createLoadShedder(limits: LoadLimits, metrics: GatewayMetrics): LoadShedder {
  const delays: number[] = [];
  let inFlight = 0;
  let monitor: { histogram: DelayHistogram; timer: NodeJS.Timeout } | undefined;
  const sample = (histogram: DelayHistogram) => {
    // Nanoseconds; NaN when there was no sample yet.
    delays.push(histogram.count > 0 ? histogram.mean / 1e6 : 0);
    if (delays.length > windowSamples) delays.shift();
    histogram.reset();
  };
  const reasonToShed = (): string | undefined => {
    if (inFlight >= limits.maxInFlight) return 'in_flight';
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / windowSamples;
    return mean > limits.maxDelayMs ? 'event_loop_delay' : undefined;
  };
  return {
    middleware: (_request, response, next) => {
      const reason = reasonToShed();
      if (reason) {
        metrics.shed.inc({ reason });
        throw new AppError('service_unavailable', { detail: 'The shop is very busy', retryAfter: 1 });
      }
      inFlight += 1;
      metrics.inFlight.set(inFlight);
      response.once('close', () => {
        inFlight -= 1;
        metrics.inFlight.set(inFlight);
      });
      next();
    },
    start() {
      const histogram = monitorEventLoopDelay({ resolution: 20 });
      histogram.enable();
      monitor = { histogram, timer: setInterval(() => sample(histogram), sampleMs).unref() };
    },
    async idle(graceMs) {
      for (let waited = 0; inFlight > 0 && waited < graceMs; waited += 20) await sleep(20);
    },
    stop() {
      monitor?.histogram.disable();
      clearInterval(monitor?.timer);
    },
  };
}
