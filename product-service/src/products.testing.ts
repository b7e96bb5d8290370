import { startTestService, type TestAnswer, type TestService } from '@tradepost/local/testing';
import { createApp } from './app.ts';

export interface TestShop extends TestService {
  admin: string;
  /** Adds a product; `amount` is its price in pence. */
  add(fields: { sku: string; amount?: number } & Record<string, unknown>): Promise<TestAnswer['body']>;
  /** Sends a file to the import. */
  load(file: RequestInit['body'], type?: string): Promise<TestAnswer>;
}

/** Starts product-service for tests, with an administrator. */
export async function startTestShop(config: { cacheSize?: number; idleMs?: number } = {}): Promise<TestShop> {
  const service = await startTestService('product-service', dependencies =>
    createApp(dependencies, {
      PRODUCT_CACHE_SIZE: config.cacheSize ?? 1_000,
      STREAM_IDLE_MS: config.idleMs ?? 10_000,
    }),
  );
  const admin = service.token({ id: 'admin', role: 'admin' });
  return {
    ...service,
    admin,
    async add({ amount = 100, ...fields }) {
      const body = { name: fields.sku, price: { amount, currency: 'GBP' }, ...fields };
      const answer = await service.send('POST', '/api/products', { token: admin, body });
      if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    async load(file, type = 'application/x-ndjson') {
      const response = await fetch(`${service.url}/api/products/import`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${admin}`, 'Content-Type': type },
        body: file,
        duplex: 'half',
      } as RequestInit);
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
  };
}

/** Looks until `found` gives something; for what other parts do in their own time. */
export async function eventually<T>(found: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const result = await found();
    if (result) return result;
    if (Date.now() > end) throw new Error('nothing happened within 10 s');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
