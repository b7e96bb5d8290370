import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '@tradepost/shared/lifecycle';

export interface ShopAnswer {
  status: number;
  /** Parsed JSON, or undefined when there was none. */
  body: unknown;
  /** Milliseconds of the request that was answered, without waits and tries before it. */
  tookMs: number;
  /** The shop's clock, in whole seconds. */
  at: Date;
}

export interface ShopRequest {
  token?: string | undefined;
  body?: unknown;
  /** Sent as it is, with its media type, instead of `body`. */
  raw?: { type: string; content: string };
  headers?: Record<string, string>;
}

/** A client of the gateway that sits out rate limits and outages. Only for requests that may be repeated. */
export interface ShopClient {
  url: string;
  /** Requests that had to be sent again. */
  retries(): number;
  /** @throws StartError when the shop has not answered for `patienceMs` */
  send(method: string, path: string, request?: ShopRequest): Promise<ShopAnswer>;
}

export interface ShopClientOptions {
  url: string;
  /** Told once per wait that a limit of the gateway imposes, in seconds. */
  onLimit(path: string, seconds: number): void;
  /** Told once when the shop is away. */
  onAway(message: string): void;
  /** How long the shop may be away, in milliseconds. Default 120,000. */
  patienceMs?: number;
  random: () => number;
}

const tryLimitMs = 60_000;

export function createShopClient(options: ShopClientOptions): ShopClient {
  const url = options.url.replace(/\/$/, '');
  const patienceMs = options.patienceMs ?? 120_000;
  let retries = 0;
  let isAway = false;

  async function once(
    method: string,
    path: string,
    request: ShopRequest,
  ): Promise<ShopAnswer & { retryAfter: number }> {
    const started = performance.now();
    const body = request.raw?.content ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
    const type = request.raw?.type ?? (body === undefined ? undefined : 'application/json');
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(type ? { 'Content-Type': type } : {}),
        ...(request.token ? { Authorization: `Bearer ${request.token}` } : {}),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(tryLimitMs),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: /json/.test(response.headers.get('content-type') ?? '') && text ? JSON.parse(text) : undefined,
      tookMs: performance.now() - started,
      at: new Date(response.headers.get('date') ?? Date.now()),
      retryAfter: Number(response.headers.get('retry-after') ?? 1),
    };
  }

  return {
    url,
    retries: () => retries,
    async send(method, path, request = {}) {
      let givenUpAt = performance.now() + patienceMs;
      for (let tries = 0; ; tries += 1) {
        const answer = await once(method, path, request).catch((error: unknown) => error as Error);
        if (!(answer instanceof Error) && answer.status !== 429 && answer.status < 500) {
          isAway = false;
          return answer;
        }
        retries += 1;
        if (!(answer instanceof Error) && answer.status === 429) {
          options.onLimit(path, answer.retryAfter);
          await sleep(answer.retryAfter * 1_000);
          givenUpAt = performance.now() + patienceMs;
        } else {
          if (performance.now() > givenUpAt) throw new StartError(awayNote(url, answer));
          if (!isAway && tries > 0) options.onAway(`${awayNote(url, answer)}; waiting for it`);
          isAway ||= tries > 0;
          await sleep(100 + options.random() * Math.min(2_000, 100 * 2 ** tries));
        }
      }
    },
  };
}

function awayNote(url: string, last: ShopAnswer | Error): string {
  const why =
    last instanceof Error ? ((last.cause as Error | undefined)?.message ?? last.message) : String(last.status);
  return `${url} does not answer (${why})`;
}
