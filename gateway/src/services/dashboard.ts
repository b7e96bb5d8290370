import { currentContext, remainingMs } from '@tradepost/shared/context';
import type { Discovery, ServiceName } from '@tradepost/shared/discovery';
import { AppError } from '@tradepost/shared/errors';
import { deadlineHeader } from '@tradepost/shared/http/requestScope';
import { inSpan } from '@tradepost/shared/observability/tracing';
import type { Breakers } from './breakers.ts';

/** What a signed-in user's first page shows; a part whose service failed is null and named in `degraded`. */
export interface Dashboard {
  user: unknown;
  orders: unknown;
  recentProducts: unknown;
  degraded: string[];
}

/**
 * Gathers a dashboard with the user's own token.
 * @param authorization the request's field, already found good
 * @param signal aborts when the client has left
 * @throws AppError `service_unavailable` when every part failed
 */
export type GatherDashboard = (authorization: string, signal: AbortSignal) => Promise<Dashboard>;

const partLimitMs = 2_000;

const parts = {
  user: { service: 'user-service', path: '/api/users/me', pick: body => body },
  orders: { service: 'order-service', path: '/api/orders?limit=10', pick: body => itemsOf(body) },
  recentProducts: { service: 'product-service', path: '/api/products/recent?limit=10', pick: body => itemsOf(body) },
} as const satisfies Record<string, { service: ServiceName; path: string; pick: (body: unknown) => unknown }>;

const itemsOf = (body: unknown): unknown => (body as { items?: unknown } | null)?.items;

export function createGatherDashboard(options: { discovery: Discovery; breakers: Breakers }): GatherDashboard {
  const fetchPart = async (name: keyof typeof parts, authorization: string, signal: AbortSignal): Promise<unknown> => {
    const { service, path, pick } = parts[name];
    const attributes = { 'http.request.method': 'GET', 'server.address': service };
    const body = await options.breakers.run(service, () =>
      inSpan(`GET ${service}`, { kind: 'client', attributes }, () =>
        ask(options.discovery, service, path, authorization, signal),
      ),
    );
    return pick(body) ?? null;
  };
  return async (authorization, signal) => {
    const names = Object.keys(parts) as (keyof typeof parts)[];
    const gathered = await Promise.allSettled(names.map(name => fetchPart(name, authorization, signal)));
    const values = gathered.map(part => (part.status === 'fulfilled' ? part.value : null));
    const degraded = names.filter((_, index) => values[index] === null);
    if (degraded.length === names.length) {
      throw new AppError('service_unavailable', { detail: 'No part of the dashboard is available', retryAfter: 1 });
    }
    const [user, orders, recentProducts] = values;
    return { user, orders, recentProducts, degraded };
  };
}

/** @throws the network's error, a timeout, or an error that says the status when it is not 2xx */
async function ask(
  discovery: Discovery,
  service: ServiceName,
  path: string,
  authorization: string,
  signal: AbortSignal,
): Promise<unknown> {
  const [instance] = discovery.instances(service);
  if (!instance) throw new Error(`${service} is not known`);
  const context = currentContext();
  const ms = remainingMs(partLimitMs);
  const response = await fetch(instance + path, {
    redirect: 'error',
    headers: {
      Authorization: authorization,
      [deadlineHeader]: String(ms),
      ...(context ? { 'X-Request-Id': context.requestId, traceparent: context.traceparent } : {}),
    },
    signal: AbortSignal.any([signal, AbortSignal.timeout(ms)]),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${service} answered ${response.status}`);
  }
  return response.json();
}
