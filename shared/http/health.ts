import { z } from 'zod';
import { get, operation, type Route, reply } from './route.ts';

export interface Check {
  status: 'up' | 'degraded' | 'down';
  [detail: string]: unknown;
}

/** What a service says of its own health. */
export interface Health {
  service: string;
  version: string;
  startedAt: Date;
  /** Takes requests: started, and not stopping. */
  isReady(): boolean;
  /** A part without which no request can be answered, as the database. */
  required: Record<string, () => Check | Promise<Check>>;
  /** A part whose loss only degrades, as the broker. */
  optional: Record<string, () => Check | Promise<Check>>;
}

export interface HealthReport {
  status: 'healthy' | 'degraded' | 'unhealthy';
  service: string;
  version: string;
  uptimeSeconds: number;
  checks: Record<string, Check>;
}

const checkLimitMs = 2_000;

async function run(check: () => Check | Promise<Check>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Check>(resolve => {
    timer = setTimeout(() => resolve({ status: 'down', reason: 'no answer in time' }), checkLimitMs);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return { status: 'down' };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs all checks, each within 2 s: unhealthy when a required part is down, degraded when another is not wholly up. */
export async function report(health: Health): Promise<HealthReport> {
  const all = async (checks: Health['required']) =>
    Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await run(check)] as const));
  const [required, optional] = await Promise.all([all(health.required), all(health.optional)]);
  const notUp = [...required, ...optional].some(([, check]) => check.status !== 'up');
  const memory = process.memoryUsage();
  return {
    status: required.some(([, check]) => check.status === 'down') ? 'unhealthy' : notUp ? 'degraded' : 'healthy',
    service: health.service,
    version: health.version,
    uptimeSeconds: Math.floor((Date.now() - health.startedAt.getTime()) / 1000),
    checks: {
      ...Object.fromEntries([...required, ...optional]),
      memory: { status: 'up', rssBytes: memory.rss, heapUsedBytes: memory.heapUsed },
    },
  };
}

const tag = 'Health';

const check = z.looseObject({ status: z.enum(['up', 'degraded', 'down']) });

const healthReport = z
  .strictObject({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    service: z.string(),
    version: z.string(),
    uptimeSeconds: z.int().nonnegative(),
    checks: z.record(z.string(), check).meta({ description: 'By the name of the part' }),
  })
  .meta({ id: 'HealthReport' });

const getHealth = operation({
  id: 'getHealth',
  summary: 'How the service and its parts are',
  tag,
  answers: {
    200: { description: 'Healthy, or degraded: a part is lost that not every request needs', body: healthReport },
    503: { description: 'Unhealthy: a part is lost without which no request can be answered', body: healthReport },
  },
});

const getLive = operation({
  id: 'getLive',
  summary: 'Whether the process runs',
  tag,
  answers: {
    200: { description: 'It does', body: z.strictObject({ status: z.literal('live'), service: z.string() }) },
  },
});

const readiness = z.strictObject({ status: z.enum(['ready', 'not_ready']), service: z.string() });

const getReady = operation({
  id: 'getReady',
  summary: 'Whether requests should be sent here',
  tag,
  answers: {
    200: { description: 'Ready', body: readiness },
    503: { description: 'Not started yet, stopping, or unhealthy', body: readiness },
  },
});

/** `/health`, `/health/live` and `/health/ready`, as every service has them. */
export const healthRoutes = (health: Health): Route[] => [
  get('/health', 'public', getHealth, async () => {
    const answer = await report(health);
    return reply(answer.status === 'unhealthy' ? 503 : 200, answer);
  }),
  get('/health/live', 'public', getLive, async () => reply(200, { status: 'live', service: health.service })),
  get('/health/ready', 'public', getReady, async () => {
    const ready = health.isReady() && (await report(health)).status !== 'unhealthy';
    return reply(ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', service: health.service });
  }),
];
