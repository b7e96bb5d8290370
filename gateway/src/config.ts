import { integer } from '@tradepost/shared/config';
import { z } from 'zod';

const trustedProxies = z
  .string()
  .default('false')
  .transform((value, context): TrustedProxies => {
    if (value === 'false') return false;
    if (/^[1-9]$/.test(value)) return Number(value);
    const names = value.split(',').map(name => name.trim());
    const good = names.every(name =>
      /^(loopback|linklocal|uniquelocal|[\da-f:.]*[:.][\da-f:.]*(\/\d{1,3})?)$/i.test(name),
    );
    if (good) return names;
    context.addIssue('must be false, a number of proxies from 1 to 9, or their addresses separated by commas');
    return z.NEVER;
  });

/** Whose X-Forwarded-For is believed: nobody's, that of so many proxies in front, or that of these addresses. */
export type TrustedProxies = false | number | string[];

/** Settings of the gateway beside the common ones. Times in milliseconds. */
export const settings = {
  /** Port of the listener that serves /metrics. */
  METRICS_PORT: integer(0, 65_535, 9_100),
  /** Requests of one anonymous address on login, register and refresh, counted together, in 15 minutes. */
  AUTH_RATE_LIMIT: integer(1, 1_000_000_000, 100),
  /** Requests of one user or address on everything else, in a minute. */
  RATE_LIMIT_PER_MINUTE: integer(1, 1_000_000_000, 1_000),
  /** Where several gateways count together; each counts alone without it. */
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must begin with redis://')
    .optional(),
  /** In front of the names of what is kept in Redis. */
  REDIS_PREFIX: z.string().default('tradepost:rate:'),
  TRUST_PROXY: trustedProxies,
  /** Requests being answered at one time; more are turned away. */
  MAX_IN_FLIGHT: integer(1, 100_000, 1_000),
  /** Mean delay of the event loop over five seconds beyond which requests are turned away. */
  MAX_EVENT_LOOP_DELAY_MS: integer(10, 60_000, 1_000),
  /** How long a service may take to answer, but for routes with limits of their own. */
  UPSTREAM_TIMEOUT_MS: integer(100, 600_000, 3_000),
  /** How long a streamed request or answer may stand still. */
  STREAM_IDLE_MS: integer(100, 600_000, 30_000),
  /** How long a body that is not streamed may take to arrive. */
  BODY_TIMEOUT_MS: integer(100, 600_000, 15_000),
  /** Memory for answers of the catalogue, in mebibytes; 0 keeps none. */
  CACHE_MB: integer(0, 10_000, 16),
  /** How long an answer of the catalogue is kept if no change is heard of. */
  CACHE_MS: integer(1, 60_000, 500),
  /** How long a breaker stays open before one request tries again. */
  BREAKER_RESET_MS: integer(10, 600_000, 5_000),
};

export type GatewayConfig = z.infer<z.ZodObject<typeof settings>>;
