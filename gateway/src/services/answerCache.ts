import type { IncomingMessage } from 'node:http';
import { matchesTag } from '@tradepost/shared/http/etag';
import type { Consumer, EventBus } from '@tradepost/shared/messaging/eventBus';
import type { Request, RequestHandler } from 'express';
import { LRUCache } from 'lru-cache';
import type { GatewayConfig } from '../config.ts';
import type { GatewayMetrics } from './metrics.ts';

export interface AnswerCache {
  /** Answers reads of the catalogue from memory, and asks the forwarder to keep what it fetches. */
  middleware: RequestHandler;
  /** Begins to listen for changes; nothing is kept before. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What the middleware leaves in `response.locals` for the forwarder. */
export interface CacheLocals {
  /** Called with the head of the service's answer, before anything of it passes. */
  onAnswer?: (answer: IncomingMessage) => void;
}

interface KeptAnswer {
  body: Buffer;
  headers: Record<string, string>;
  etag: string;
}

export interface AnswerCacheOptions {
  bus: Pick<EventBus, 'listen' | 'status'>;
  config: Pick<GatewayConfig, 'CACHE_MB' | 'CACHE_MS'>;
  metrics: Pick<GatewayMetrics, 'cacheReads'>;
}

const catalogue = '/api/products';
const keptHeaders = ['content-type', 'etag', 'cache-control'] as const;
const maxBodyBytes = 256 * 1024;

/**
 * Keeps answers of public reads of the catalogue. All are dropped whenever a product changes, as the bus tells and as
 * requests that pass here do, since lists and facets depend on every product; while the bus is away nothing is kept. Because
 * an instance of product-service may itself hear of a change a moment later than this gateway, an answer is also
 * never older than `CACHE_MS`.
 */
export function createAnswerCache({ bus, config, metrics }: AnswerCacheOptions): AnswerCache {
  const kept = new LRUCache<string, KeptAnswer>({
    maxSize: Math.max(1, config.CACHE_MB * 1024 * 1024),
    sizeCalculation: ({ body }, key) => body.length + key.length + 500,
    ttl: config.CACHE_MS,
  });
  // Grows with every change, so that an answer fetched before one is not kept after it.
  let changes = 0;
  let consumer: Consumer | undefined;

  const drop = (): void => {
    changes += 1;
    kept.clear();
  };

  function keepAs(key: string): (answer: IncomingMessage) => void {
    const before = changes;
    return answer => {
      const { etag } = answer.headers;
      if (answer.statusCode !== 200 || !etag || Number(answer.headers['content-length'] ?? 0) > maxBodyBytes) return;
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxBodyBytes) chunks.push(chunk);
      });
      answer.on('end', () => {
        if (size > maxBodyBytes || before !== changes || !answer.complete) return;
        const headers = keptHeaders.flatMap(name => (answer.headers[name] ? [[name, answer.headers[name]]] : []));
        kept.set(key, { body: Buffer.concat(chunks), headers: Object.fromEntries(headers), etag });
      });
    };
  }

  return {
    middleware(request, response, next) {
      if (!isOfCatalogue(request)) return next();
      const locals = response.locals as CacheLocals;
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        // Before its client hears of it; and also when no answer comes, since it may have been done.
        locals.onAnswer = drop;
        response.once('close', drop);
        return next();
      }
      if (config.CACHE_MB === 0 || !consumer || bus.status() === 'down') {
        metrics.cacheReads.inc({ result: 'off' });
        return next();
      }
      const found = kept.get(request.url);
      metrics.cacheReads.inc({ result: found ? 'hit' : 'miss' });
      if (!found) {
        if (request.method === 'GET') locals.onAnswer = keepAs(request.url);
        return next();
      }
      request.routeTemplate = catalogue;
      for (const [name, value] of Object.entries(found.headers)) response.setHeader(name, value);
      if (matchesTag(request.headers['if-none-match'], found.etag)) response.status(304).end();
      else
        response
          .set('Content-Length', String(found.body.length))
          .end(request.method === 'GET' ? found.body : undefined);
    },

    async start() {
      if (config.CACHE_MB === 0) return;
      const pattern = { exchange: 'products', key: 'product.*' } as const;
      consumer ??= await bus.listen({ pattern, handle: async () => drop(), onGap: async () => drop() });
    },

    async stop() {
      await consumer?.stop();
      kept.clear();
    },
  };
}

/** Its export alone is neither public nor small. */
const isOfCatalogue = ({ path }: Request): boolean =>
  (path === catalogue || path.startsWith(`${catalogue}/`)) && path !== `${catalogue}/export`;
