import { AppError } from '@tradepost/shared/errors';
import type { Call, ServiceClient } from '@tradepost/shared/http/client';
import type { Answer, ApiRequest, Route } from '@tradepost/shared/http/route';
import { silentLogger } from '@tradepost/shared/logger';
import { as, type Scheduler } from './scheduler.ts';

/** What can go wrong with one call. */
export type CallFault = 'none' | 'request lost' | 'answer lost' | 'late' | 'twice';

export interface SimulatedNetwork {
  /** A client of `caller` for a service, whichever instance of it lives when the call arrives. */
  client(caller: string, service: string): ServiceClient;
  /** Tells everybody who waits for an answer of this instance that none will come. */
  disconnect(instance: string): void;
}

export interface Endpoint {
  instance: string;
  routes: readonly Route[];
}

const logger = silentLogger();
const lost = (service: string) => new AppError('upstream_timeout', { detail: `${service} did not answer in time` });

/**
 * Calls between services without sockets: the request arrives, and its answer returns, when the scheduler says so. `fault`
 * is asked once per call. A late call is carried out although its caller has given up.
 */
export function simulateNetwork(
  scheduler: Scheduler,
  find: (service: string) => Endpoint | undefined,
  fault: (caller: string, label: string) => CallFault,
): SimulatedNetwork {
  const open = new Map<string, Set<() => void>>();
  const arrive = (service: string, call: Call): Promise<Answer> => {
    const endpoint = find(service);
    if (!endpoint) return Promise.reject(lost(service));
    const waiting = open.get(endpoint.instance) ?? new Set();
    open.set(endpoint.instance, waiting);
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(lost(service));
      waiting.add(gone);
      as(scheduler, endpoint.instance, () => invoke(endpoint.routes, call))
        .then(resolve, reject)
        .finally(() => waiting.delete(gone));
    });
  };
  return {
    client: (caller, service) => ({
      async call(call, answer) {
        const label = `${service} ${call.path.replace(/[0-9a-f-]{30,}/g, '…')}`;
        const wrong = fault(caller, label);
        await scheduler.wait(`→ ${label}${wrong === 'none' ? '' : ` (${wrong})`}`, caller);
        if (wrong === 'request lost') throw lost(service);
        if (wrong === 'late' || wrong === 'twice') {
          // It belongs to nobody any more: it outlives its caller.
          const run = (): void => void arrive(service, call).catch(() => {});
          scheduler.offer({ label: `late ${label}`, owner: 'network', run });
        }
        if (wrong === 'late') throw lost(service);
        const outcome = await arrive(service, call).then(
          value => ({ value }),
          (error: unknown) => ({ error }),
        );
        await scheduler.wait(`← ${label}`, caller);
        if (wrong === 'answer lost') throw lost(service);
        if ('error' in outcome) throw asRemote(outcome.error, service);
        return { status: outcome.value.status, body: answer.parse(copy(outcome.value.body)) };
      },
    }),
    disconnect(instance) {
      for (const gone of open.get(instance) ?? []) gone();
      open.delete(instance);
    },
  };
}

/** Calls a route's controller as the HTTP application would. @throws whatever the controller throws */
export async function invoke(
  routes: readonly Route[],
  call: Call,
  who: Partial<ApiRequest> & { headers?: Record<string, string> } = {},
): Promise<Answer> {
  const [path = '', search = ''] = call.path.split('?');
  for (const route of routes) {
    const match = pattern(route.path).exec(path);
    if (!match || route.method !== call.method) continue;
    const params = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
    const { operation } = route;
    return route.controller({
      params: operation.params ? operation.params.parse(params) : params,
      query: operation.query ? operation.query.parse(Object.fromEntries(new URLSearchParams(search))) : {},
      body: operation.body ? operation.body.parse(copy(call.body)) : undefined,
      actor: { id: 'order-service', role: 'service' },
      requestId: 'explored',
      header: name => who.headers?.[name],
      signal: new AbortController().signal,
      stream: undefined as never,
      logger,
      ...who,
    });
  }
  throw new Error(`no route for ${call.method} ${call.path}`);
}

const patterns = new Map<string, RegExp>();
function pattern(path: string): RegExp {
  const known = patterns.get(path) ?? new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
  patterns.set(path, known);
  return known;
}
const copy = (body: unknown): unknown => (body === undefined ? undefined : JSON.parse(JSON.stringify(body)));

/** A callee's refusal keeps its code; anything else is a failure of unknown outcome, as a 500 is. */
function asRemote(error: unknown, service: string): AppError {
  if (error instanceof AppError && error.status < 500) return error;
  return new AppError('service_unavailable', { detail: `${service} is not available`, cause: error });
}
