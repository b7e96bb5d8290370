import { setTimeout as sleep } from 'node:timers/promises';
import { type Discovery, type ServiceName, serviceNames } from '@tradepost/shared/discovery';
import type { Check } from '@tradepost/shared/http/health';
import { z } from 'zod';

/** What the gateway knows of the services behind it. */
export interface ServiceHealth {
  /**
   * Asks each service's instances, unless they were asked a moment ago; a service is up while one of its instances is.
   */
  checks: Record<ServiceName, () => Promise<Check>>;
  /** Whether every service has been ready at least once. */
  seenAll(): boolean;
  /** Looks until every service was ready once. */
  start(): void;
  stop(): Promise<void>;
}

// Less than the 2 s which whoever asks the gateway usually waits.
const askLimitMs = 1_000;
// Anybody may ask the gateway for its health as often as they like, and must not reach the databases behind it by that.
const keptMs = 250;
const lookEveryMs = { first: 20, most: 1_000 };
const healthBody = z.looseObject({ status: z.enum(['healthy', 'degraded', 'unhealthy']) });

export function createServiceHealth(discovery: Discovery): ServiceHealth {
  const missing = new Set<ServiceName>(serviceNames);
  const stopping = new AbortController();
  let looking: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    for (let waitMs = lookEveryMs.first; !stopping.signal.aborted; waitMs = Math.min(waitMs * 1.5, lookEveryMs.most)) {
      await Promise.all(
        [...missing].map(async service => {
          const [instance] = discovery.instances(service);
          if (instance && (await ask(`${instance}/health/ready`, stopping.signal))?.ok) missing.delete(service);
        }),
      );
      if (missing.size === 0) return;
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  return {
    checks: Object.fromEntries(
      serviceNames.map(service => [service, kept(() => checkService(discovery, service))]),
    ) as ServiceHealth['checks'],
    seenAll: () => missing.size === 0,
    start: () => {
      looking = look();
    },
    stop: () => {
      stopping.abort();
      return looking;
    },
  };
}

/** The same check for all who ask at once, and for a moment after it. */
function kept(check: () => Promise<Check>): () => Promise<Check> {
  let last: { check: Promise<Check>; until: number } | undefined;
  return () => {
    if (last && performance.now() < last.until) return last.check;
    const made = { check: check(), until: Number.POSITIVE_INFINITY };
    last = made;
    const settle = () => {
      made.until = performance.now() + keptMs;
    };
    made.check.then(settle, settle);
    return made.check;
  };
}

async function checkService(discovery: Discovery, service: ServiceName): Promise<Check> {
  const instances = await Promise.all(discovery.instances(service).map(statusOf));
  const up = instances.filter(status => status === 'healthy' || status === 'degraded').length;
  const counted = { instances: instances.length, instancesUp: up };
  if (up === 0) return { status: 'down', ...counted };
  return { status: up === instances.length && !instances.includes('degraded') ? 'up' : 'degraded', ...counted };
}

async function statusOf(instance: string): Promise<string | undefined> {
  const answer = await ask(`${instance}/health`);
  return healthBody.safeParse(answer?.body).data?.status;
}

async function ask(url: string, signal?: AbortSignal): Promise<{ ok: boolean; body: unknown } | undefined> {
  const limit = AbortSignal.timeout(askLimitMs);
  try {
    const response = await fetch(url, {
      redirect: 'error',
      signal: signal ? AbortSignal.any([limit, signal]) : limit,
    });
    return { ok: response.ok, body: await response.json() };
  } catch {
    return undefined;
  }
}
