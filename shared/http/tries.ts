import { Agent } from 'node:http';
import axios, { AxiosError, type AxiosInstance, type AxiosResponse } from 'axios';
import axiosRetry, { retryAfter } from 'axios-retry';
import { currentContext, remainingMs } from '../context.ts';
import type { ServiceName } from '../discovery.ts';
import { AppError } from '../errors.ts';
import type { ActiveSpan } from '../observability/span.ts';
import { inSpan } from '../observability/tracing.ts';
import { maxServiceBodyBytes } from './body.ts';
import type { Call, ServiceClientOptions } from './client.ts';
import { createInstances, type Instances } from './instances.ts';
import { deadlineHeader } from './requestScope.ts';
import { createRetryBudget } from './retryBudget.ts';

// keepAliveMsecs as axios sets it for each call: where the two differ, every call costs system calls to set it twice.
const agentOptions = { keepAlive: true, keepAliveMsecs: 60_000, maxSockets: 64, maxFreeSockets: 16, timeout: 15_000 };
const maxTries = 3;
const backoffBaseMs = 50;
const backoffCapMs = 1_000;
/** Answers of a callee that may be well again in a moment, or whose other instances are. */
const passingStatuses = new Set([429, 502, 503, 504]);

/** A call on its way, over all its tries. */
interface Progress {
  call: Call;
  /** Milliseconds since the epoch. */
  deadline: number;
  /** Instances in the order of the tries. */
  instances: readonly string[];
  tries: number;
}

const progressKey = Symbol('progress');
/** The signal that ends the call, which axios hands through all tries as it is, knows how far the call has come. */
type CallSignal = AbortSignal & { [progressKey]?: Progress };

/**
 * Sends calls to a service: each try to the next instance with what is left of the time, again where repeating is safe and
 * the retry budget allows it. Any answer that does not ask for another try resolves.
 * @param retried hears of every try beyond the first
 * @returns rejects with AppError when nothing could be sent, else with the AxiosError of the last try
 */
export function createSender(
  options: ServiceClientOptions,
  retried: () => void = () => {},
): (call: Call) => Promise<AxiosResponse<unknown>> {
  const http = axios.create({
    adapter: 'http',
    // No service compresses.
    decompress: false,
    httpAgent: new Agent(agentOptions),
    maxRedirects: 0,
    maxContentLength: 4 * 1024 * 1024,
    maxBodyLength: maxServiceBodyBytes,
    proxy: false,
    allowAbsoluteUrls: false,
    validateStatus: status => status < 500 && !passingStatuses.has(status),
  });
  const instances = createInstances(options.discovery);
  describeTries(http);
  addRetries(http, instances, options.random, retried);
  const send = (call: Call): Promise<AxiosResponse<unknown>> => {
    const progress = begin(options.callee, instances, call);
    // Not AbortSignal.timeout: it would go off for every call, also for those that were answered long ago.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), progress.deadline - Date.now());
    const signal: CallSignal = late.signal;
    signal[progressKey] = progress;
    const context = currentContext();
    const sent = http
      .request<unknown>({
        url: call.path,
        method: call.method,
        data: call.body,
        signal,
        headers: {
          Authorization: `Bearer ${options.signToken(options.callee)}`,
          ...(context ? { 'X-Request-Id': context.requestId, traceparent: context.traceparent } : {}),
        },
      })
      .finally(() => clearTimeout(timer));
    return context?.span ? told(context.span, sent, progress) : sent;
  };
  return call => {
    const method = call.method.toUpperCase();
    const template = templateOf(call.path);
    const attributes = {
      ...{ 'http.request.method': method, 'url.template': template, 'server.address': options.callee },
    };
    return inSpan(`${method} ${template}`, { kind: 'client', attributes }, async () => send(call));
  };
}

/** Says in the call's span how it ended, and by how many tries. */
async function told<Response extends { status: number }>(
  span: ActiveSpan,
  sent: Promise<Response>,
  progress: Progress,
): Promise<Response> {
  const status = await sent.then(
    response => response.status,
    error => (error as AxiosError).response?.status,
  );
  if (status !== undefined) span.set({ 'http.response.status_code': status });
  if (progress.tries > 1) span.set({ 'http.request.resend_count': progress.tries - 1 });
  return sent;
}

/** A path without its query and ids, all that is not a plain word. */
const templateOf = (path: string): string =>
  (path.split('?', 1)[0] ?? '')
    .split('/')
    .map(part => (/^[a-z-]*$/.test(part) ? part : ':id'))
    .join('/');

function begin(callee: ServiceName, instances: Instances, call: Call): Progress {
  const budget = remainingMs(call.timeoutMs ?? 2_000);
  if (budget <= 0) throw new AppError('upstream_timeout', { detail: 'No time was left for the call' });
  const known = instances.of(callee);
  if (known.length === 0) {
    throw new AppError('service_unavailable', { detail: `${callee} is not known`, retryAfter: 1 });
  }
  return { call, deadline: Date.now() + budget, instances: known, tries: 0 };
}

const progressIn = (config: { signal?: unknown } | undefined): Progress | undefined =>
  (config?.signal as CallSignal | undefined)?.[progressKey];

/** Sends each try to the next instance, with what is left of the time. */
function describeTries(http: AxiosInstance): void {
  http.interceptors.request.use(config => {
    const progress = progressIn(config);
    if (!progress) throw new TypeError('a call goes through its client');
    const { call, instances } = progress;
    const leftMs = progress.deadline - Date.now();
    if (leftMs <= 0) throw new AppError('upstream_timeout', { detail: 'No time was left for another try' });
    config.baseURL = instances[progress.tries % instances.length] as string;
    progress.tries += 1;
    // An instance that hangs may not use up the time in which another would answer.
    const share = call.repeatable && progress.tries < instances.length ? leftMs / 2 : leftMs;
    config.timeout = Math.ceil(Math.min(call.tryTimeoutMs ?? share, leftMs));
    config.headers.set(deadlineHeader, String(Math.ceil(config.timeout)));
    return config;
  });
}

function addRetries(http: AxiosInstance, instances: Instances, random: () => number, retried: () => void): void {
  const budget = createRetryBudget(() => performance.now());
  // Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), unless the callee names a time or another instance is left.
  const delays = new WeakMap<AxiosError, number>();
  const delayOf = (error: AxiosError, progress: Progress): number => {
    if (progress.tries < progress.instances.length) return 0;
    const jitter = random() * Math.min(backoffCapMs, backoffBaseMs * 2 ** progress.tries);
    return Math.max(jitter, retryAfter(error));
  };
  http.interceptors.request.use(config => {
    if (progressIn(config)?.tries === 0) budget.called();
    return config;
  });
  axiosRetry(http, {
    retries: maxTries - 1,
    shouldResetTimeout: true,
    retryCondition(error) {
      const progress = progressIn(error.config);
      if (!progress) return false;
      if (error.response === undefined) instances.failed(error.config?.baseURL ?? '');
      if (!isWorthARetry(error, progress)) return false;
      const delayMs = delayOf(error, progress);
      if (Date.now() + delayMs >= progress.deadline) return false;
      delays.set(error, delayMs);
      // A refused connection cost the callee nothing.
      return (wasNeverSent(error) && progress.tries < progress.instances.length) || budget.take();
    },
    onRetry: retried,
    retryDelay: (_count, error) => delays.get(error) ?? 0,
  });
}

function isWorthARetry(error: AxiosError, { call }: Progress): boolean {
  // An answer that is too large stays so.
  const isTooLarge = error.code === AxiosError.ERR_BAD_RESPONSE && error.response === undefined;
  if (error.config?.signal?.aborted || isTooLarge) return false;
  if (!call.repeatable) return wasNeverSent(error);
  return error.response === undefined || passingStatuses.has(error.response.status);
}

/** Nobody took the connection, so nothing can have happened. */
const wasNeverSent = (error: AxiosError): boolean => error.code === 'ECONNREFUSED';
