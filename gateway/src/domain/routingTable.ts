import type { ServiceName } from '@tradepost/shared/discovery';

/** Which service answers what is at, or below, a path. What is not named here never reaches a service. */
const upstreams: readonly (readonly [prefix: string, service: ServiceName])[] = [
  ['/api/users', 'user-service'],
  ['/.well-known/jwks.json', 'user-service'],
  ['/api/products', 'product-service'],
  ['/api/inventory', 'inventory-service'],
  ['/api/orders', 'order-service'],
  ['/api/operations/sagas', 'order-service'],
  ['/api/operations/audit', 'order-service'],
  ['/api/operations/dead-letters', 'order-service'],
  ['/api/payments', 'payment-service'],
  ['/api/operations/payments', 'payment-service'],
];

/** Routes whose limits are not the usual ones, as the services themselves have them. */
const exceptions: readonly { method: string; path: RegExp; deadlineMs?: number; streamed?: true; keyed?: true }[] = [
  { method: 'POST', path: /^\/api\/orders$/, deadlineMs: 15_000, keyed: true },
  { method: 'POST', path: /^\/api\/orders\/[^/]+\/refund$/, deadlineMs: 10_000, keyed: true },
  { method: 'GET', path: /^\/api\/operations\/audit$/, deadlineMs: 60_000 },
  { method: 'GET', path: /^\/api\/operations\/dead-letters$/, deadlineMs: 10_000 },
  { method: 'POST', path: /^\/api\/operations\/dead-letters\/[^/]+\/replay$/, deadlineMs: 10_000 },
  { method: 'POST', path: /^\/api\/products\/import$/, streamed: true },
  { method: 'GET', path: /^\/api\/products\/export$/, streamed: true },
];

/** Requests that share the strict limit against guessing. */
const signIns = new Set(['/api/users/login', '/api/users/register', '/api/users/refresh']);

export interface Upstream {
  service: ServiceName;
  /** The table's path, as a label with few values. */
  prefix: string;
  /** Milliseconds for the answer when they are not the usual ones. */
  deadlineMs?: number;
  /** Bodies pass piece by piece, without limits of size and total time. */
  streamed: boolean;
  /** With an Idempotency-Key it may be sent again. */
  keyed: boolean;
}

/**
 * Where a request goes.
 * @param path without query, as it was sent
 * @returns undefined for what no service answers
 */
export function upstreamOf(method: string, path: string): Upstream | undefined {
  const found = upstreams.find(([prefix]) => path.startsWith(prefix) && isBoundary(path, prefix.length));
  if (!found) return undefined;
  const exact = withoutSlash(path);
  const exception = exceptions.find(one => one.method === method && one.path.test(exact));
  return {
    prefix: found[0],
    service: found[1],
    streamed: exception?.streamed ?? false,
    keyed: exception?.keyed ?? false,
    ...(exception?.deadlineMs === undefined ? {} : { deadlineMs: exception.deadlineMs }),
  };
}

/** Whether a request counts against the strict limit. */
export const isSignIn = (method: string, path: string): boolean => method === 'POST' && signIns.has(withoutSlash(path));

const withoutSlash = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path);

const isBoundary = (path: string, at: number): boolean => path.length === at || path[at] === '/';
