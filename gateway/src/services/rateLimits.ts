import { AppError } from '@tradepost/shared/errors';
import type { Actor } from '@tradepost/shared/http/route';
import type { Logger } from '@tradepost/shared/logger';
import type { RequestHandler, Response } from 'express';
import { ipKeyGenerator, type Options, rateLimit } from 'express-rate-limit';
import type { GatewayConfig } from '../config.ts';
import { isSignIn } from '../domain/routingTable.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { RateLimitStores } from './rateLimitStores.ts';

export interface RateLimitsOptions {
  config: Pick<GatewayConfig, 'AUTH_RATE_LIMIT' | 'RATE_LIMIT_PER_MINUTE'>;
  userOf: (response: Response) => Actor | undefined;
  /** Where several gateways count together; undefined counts in this process. */
  stores: RateLimitStores | undefined;
  metrics: GatewayMetrics;
  logger: Logger;
}

/**
 * Two buckets: `auth` counts sign-ins by address, whoever is signed in, for a token must not loosen the limit on
 * guessing; `api` counts everything else by user, or by address (IPv6 by /56, which one subscriber can hold).
 */
export function createRateLimits(options: RateLimitsOptions): RequestHandler {
  const { config, userOf } = options;
  const signIns = limiter(options, 'auth', {
    windowMs: 15 * 60_000,
    limit: config.AUTH_RATE_LIMIT,
    keyGenerator: request => ipKeyGenerator(request.ip ?? ''),
  });
  const others = limiter(options, 'api', {
    windowMs: 60_000,
    limit: config.RATE_LIMIT_PER_MINUTE,
    keyGenerator: (request, response) => {
      const user = userOf(response);
      return user ? `user:${user.id}` : ipKeyGenerator(request.ip ?? '');
    },
  });
  return (request, response, next) =>
    isSignIn(request.method, request.path) ? signIns(request, response, next) : others(request, response, next);
}

function limiter({ stores, metrics, logger }: RateLimitsOptions, bucket: string, own: Partial<Options>) {
  return rateLimit({
    ...own,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: bucket,
    passOnStoreError: true,
    ...(stores ? { store: stores.make(bucket) } : {}),
    // Store errors are counted and logged by the store itself.
    logger: { warn: error => logger.warn({ err: error }, 'rate limit'), error: () => {} },
    // They look at X-Forwarded-For, which the gateway believes only as TRUST_PROXY says.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: (_request, response, next) => {
      metrics.rateLimited.inc({ bucket });
      const seconds = Number(response.getHeader('Retry-After') ?? 1);
      next(new AppError('rate_limited', { retryAfter: Math.max(1, seconds) }));
    },
  });
}
