import { AxiosError, type AxiosResponse } from 'axios';
import CircuitBreaker from 'opossum';
import { z } from 'zod';
import type { Discovery, ServiceName } from '../discovery.ts';
import { AppError, type ErrorCode, errorCatalogue } from '../errors.ts';
import type { Registry } from '../observability/metrics.ts';
import { type CallOutcome, createClientMetrics } from './clientMetrics.ts';
import { createSender } from './tries.ts';

export interface Call {
  method: 'get' | 'post' | 'delete';
  /** Path with its parts already encoded. */
  path: string;
  body?: unknown;
  /** Whether the call may be sent again when its outcome is unknown; every internal operation is made repeatable. */
  repeatable: boolean;
  /** Milliseconds for the whole call with its retries; default 2,000, never more than the request's deadline leaves. */
  timeoutMs?: number;
  /** Milliseconds for one try; default half of what is left while another instance could be tried, else all of it. */
  tryTimeoutMs?: number;
}

/** Calls another service with a service token, within the deadline, with retries where they are safe, behind a breaker. */
export interface ServiceClient {
  /**
   * @returns status and JSON body of any 2xx answer
   * @throws AppError with the callee's own code for a 4xx; `service_unavailable` or `upstream_timeout` when the callee
   * failed or did not answer in time: then the outcome is unknown
   */
  call<T>(call: Call, answer: z.ZodType<T>): Promise<{ status: number; body: T }>;
}

export interface ServiceClientOptions {
  callee: ServiceName;
  discovery: Discovery;
  signToken: (callee: string) => string;
  random: () => number;
  /** Where calls are measured; they are not without it. */
  registry?: Registry;
}

/** Makes a client of one service. What is here is shared by all calls: connections, breaker, retry budget. */
export function createServiceClient(options: ServiceClientOptions): ServiceClient {
  const metrics = createClientMetrics(options.registry, options.callee);
  const breaker = new CircuitBreaker(createSender(options, metrics.retried), {
    timeout: false,
    errorThresholdPercentage: 50,
    volumeThreshold: 20,
    rollingCountTimeout: 10_000,
    // Only counts decide; percentiles of latencies would be worked out for nobody.
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    resetTimeout: 5_000,
    // What never left us says nothing of the callee.
    errorFilter: (error: unknown) => error instanceof AppError,
  });
  breaker.on('open', () => metrics.breaker(true));
  breaker.on('close', () => metrics.breaker(false));
  return {
    async call(call, answer) {
      const began = performance.now();
      const response = await breaker.fire(call).catch((error: unknown) => {
        const known = unavailable(options.callee, error);
        metrics.called(outcomeOf(known, error), performance.now() - began);
        throw known;
      });
      metrics.called('answered', performance.now() - began);
      if (response.status >= 400) throw refused(response);
      const body = answer.safeParse(response.data);
      if (!body.success) {
        throw new AppError('service_unavailable', {
          detail: `${options.callee} gave an answer that is not understood`,
          cause: body.error,
        });
      }
      return { status: response.status, body: body.data };
    },
  };
}

function outcomeOf(known: AppError, error: unknown): CallOutcome {
  if ((error as { code?: unknown }).code === 'EOPENBREAKER') return 'refused_by_breaker';
  return known.code === 'upstream_timeout' ? 'late' : 'unavailable';
}

function unavailable(callee: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const late =
    error instanceof AxiosError &&
    (error.code === 'ECONNABORTED' || error.code === 'ERR_CANCELED' || error.response?.status === 504);
  return new AppError(late ? 'upstream_timeout' : 'service_unavailable', {
    detail: late ? `${callee} did not answer in time` : `${callee} is not available`,
    retryAfter: 1,
    cause: error,
  });
}

const remoteProblem = z.looseObject({ code: z.string(), detail: z.string().optional() });
const ownMembers = new Set(['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId', 'traceId', 'errors']);

/** The callee's problem as an error of ours, so that its code and members reach whoever asked. */
function refused(response: AxiosResponse<unknown>): AppError {
  if (response.status === 401 || response.status === 403) {
    return new AppError('internal_error', { detail: 'A service refused our token', cause: response.data });
  }
  const problem = remoteProblem.safeParse(response.data);
  const code =
    problem.success && problem.data.code in errorCatalogue ? (problem.data.code as ErrorCode) : 'internal_error';
  const members = problem.success ? Object.entries(problem.data).filter(([name]) => !ownMembers.has(name)) : [];
  return new AppError(code, {
    ...(problem.success && problem.data.detail ? { detail: problem.data.detail } : {}),
    members: Object.fromEntries(members),
  });
}
